// The text form of architectures, as people type them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/values/architecture.hpp"

namespace soma::weights {

/// The architecture "tiny", "small", "base" or "v1", or the one of five numbers "L,D,H,F,S".
/// nullopt for any other text, and for an architecture that is not valid.
[[nodiscard]] std::optional<model_architecture> parse_architecture(std::string_view text);

/// The name of an architecture, or its five numbers if it has no name.
[[nodiscard]] std::string to_text(const model_architecture& arch);

}  // namespace soma::weights
