// Names of architectures as people type them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/types/architecture.hpp"

namespace soma::model {

/// "tiny", "small", "base", "v1", or five numbers "L,D,H,F,S"; nullopt for anything else and for
/// what is not valid.
[[nodiscard]] std::optional<model_architecture> parse_architecture(std::string_view text);

/// The name, or the five numbers where there is none.
[[nodiscard]] std::string to_text(const model_architecture& arch);

}  // namespace soma::model
