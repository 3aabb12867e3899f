// Help that fits the terminal: the lines of the parser are as long as their texts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace soma::cli {

/// Breaks the lines that are wider than `columns` between words. What follows stands below the
/// beginning of the description of an option or verb. A line that begins with "  soma " is a
/// command; it goes on in the next line as a shell reads it, with a backslash. A word is never cut.
[[nodiscard]] std::string wrapped_help(std::string_view text, std::size_t columns);

}  // namespace soma::cli
