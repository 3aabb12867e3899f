// What a command says at its end about what it did.
#pragma once

#include <string_view>

namespace soma::cli {

/// Writes a text of many lines to stdout, as print_line() writes one.
void print_text(std::string_view text);

/// Remembers what the command has done for good, "made the key k.pem". If its report cannot be
/// written, the refusal says so, since the same command would not do it once more.
void remember_done(std::string_view done);

}  // namespace soma::cli
