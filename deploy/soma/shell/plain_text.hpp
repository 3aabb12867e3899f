// Text for people that may hold what other people wrote: names of files, of models, of networks.
#pragma once

#include <string>
#include <string_view>

namespace soma::cli {

/// The text without what a terminal would obey instead of show: control characters become blanks,
/// and bytes that are not UTF-8 become U+FFFD. So it is one line.
[[nodiscard]] std::string plain_line(std::string_view text);

/// The same for text of many lines: newlines and tabs stay.
[[nodiscard]] std::string plain_lines(std::string_view text);

}  // namespace soma::cli
