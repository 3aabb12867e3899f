// What the verbs about models have in common: options, and refusals as lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "deploy/soma/failure.hpp"
#include "deploy/soma/options.hpp"
#include "messages/types/architecture.hpp"
#include "model/weights/weights.hpp"

namespace soma {

[[nodiscard]] expected<model_architecture, failure> architecture_of(const std::string& text);

/// Reads weights; a refusal names the file and the reason.
[[nodiscard]] expected<model::weights, failure> weights_at(
    const std::filesystem::path& path, const model::weights_overrides& overrides = {});

/// The same, with the values left in the file: see model::map_weights.
[[nodiscard]] expected<model::weights, failure> mapped_weights_at(
    const std::filesystem::path& path, const model::weights_overrides& overrides = {});

/// What the header of a weights file tells.
[[nodiscard]] expected<model::weights_outline, failure> outline_at(
    const std::filesystem::path& path, const model::weights_overrides& overrides = {});

/// Sets the number of threads of the tensor library. Call before the work; 1..256.
[[nodiscard]] outcome use_threads(std::uint32_t threads);

inline constexpr auto architecture_help =
    "tiny, small, base, v1, or five numbers: layers,dim,heads,ffn,max_seq";

}  // namespace soma
