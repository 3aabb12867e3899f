// The target of a request, decoded once.
#pragma once

#include <string>
#include <string_view>

#include "actors/http/message.hpp"
#include "messages/values/expected.hpp"

namespace soma::http {

inline constexpr std::size_t max_parameters = 64;

struct target {
  std::string path;
  name_values query;
};

/// Reads "/path?name=value&...", whose escapes are decoded exactly once. A sentence says why one is
/// refused: what does not begin with '/', a fragment, escapes that are none, that hide '/', '\' or
/// a control character, or that give no UTF-8, parts of the path that are empty (but the last one),
/// "." or "..", and more than 64 parameters.
[[nodiscard]] expected<target, std::string_view> parse_target(std::string_view text);

/// The reverse for one part of a path or of a query: what is not a letter, a digit or one of -._~
/// is escaped.
[[nodiscard]] std::string escape(std::string_view text);

}  // namespace soma::http
