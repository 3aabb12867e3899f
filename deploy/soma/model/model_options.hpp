// What the verbs about models have in common: options, and refusals as lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/options.hpp"
#include "messages/values/architecture.hpp"
#include "model/weights/weights.hpp"

namespace soma::cli {

[[nodiscard]] expected<model_architecture, failure> architecture_of(const std::string& text);

/// Reads weights; a refusal names the file and the reason.
[[nodiscard]] expected<weights::model_weights, failure> weights_at(
    const std::filesystem::path& path, const weights::weights_overrides& overrides = {});

/// The same, with the values left in the file: see weights::map_weights.
[[nodiscard]] expected<weights::model_weights, failure> mapped_weights_at(
    const std::filesystem::path& path, const weights::weights_overrides& overrides = {});

/// What the header of a weights file tells.
[[nodiscard]] expected<weights::weights_outline, failure> outline_at(
    const std::filesystem::path& path, const weights::weights_overrides& overrides = {});

/// Sets the number of threads of the tensor library. Call before the work; 1..256.
[[nodiscard]] outcome use_threads(std::uint32_t threads);

inline constexpr auto architecture_help =
    "tiny, small, base, v1, or five numbers: layers,dim,heads,ffn,max_seq";

}  // namespace soma::cli
