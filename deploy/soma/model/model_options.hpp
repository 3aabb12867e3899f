// What the verbs about models share: how options are read, and refusals for people.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "deploy/soma/network/network_connection.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/options.hpp"
#include "messages/values/architecture.hpp"
#include "messages/values/rows.hpp"
#include "model/weights/weights.hpp"

namespace soma::cli {

/// Reads an architecture as architecture_help describes it.
[[nodiscard]] expected<model_architecture, failure> architecture_of(const std::string& text);

/// Reads a weights file into memory. A refusal names the file and the reason.
[[nodiscard]] expected<weights::model_weights, failure> weights_at(
    const std::filesystem::path& path, const weights::weights_overrides& overrides = {});

/// The same, but the values stay in the mapped file: see weights::map_weights.
[[nodiscard]] expected<weights::model_weights, failure> mapped_weights_at(
    const std::filesystem::path& path, const weights::weights_overrides& overrides = {});

/// Reads the header of a weights file only.
[[nodiscard]] expected<weights::weights_outline, failure> outline_at(
    const std::filesystem::path& path, const weights::weights_overrides& overrides = {});

/// Connects to the blob store at `address`, else to that of the configuration. Gateways need none.
/// A refusal calls the command `verb`.
[[nodiscard]] outcome connect_blobs(const run_context& context, network_connection& network,
                                    const std::string& verb, const std::string& address);

/// Refuses a number of threads that is not from 1 to 256.
[[nodiscard]] outcome check_threads(std::uint32_t threads);

/// "5.00 %" for 500.
[[nodiscard]] std::string percent(std::uint32_t bps);

/// The verdicts of validators on a version, counted: "3 good, 1 wrong hash", or "none yet".
[[nodiscard]] std::string verdicts_text(const std::vector<cast_vote<model_verdict>>& votes);

inline constexpr auto architecture_help =
    "tiny, small, base, v1, or five numbers: layers,dim,heads,ffn,max_seq";

}  // namespace soma::cli
