// A line that a person types on the terminal without its being shown: a passphrase. What must hold:
// however the question ends, the terminal shows again what is typed afterwards.
#pragma once

#include <optional>
#include <string>

namespace soma::cli {

/// True if a person can be asked: the standard input and the standard error are terminals.
[[nodiscard]] bool can_ask();

/// Prints the question to stderr and reads one line. A signal that ends or halts the process is
/// delivered after the terminal was put right; a process that was halted and goes on asks again.
/// nullopt when the input has ended; throws `stopped` after a signal that asks for a stop.
[[nodiscard]] std::optional<std::string> ask_hidden(const std::string& question);

}  // namespace soma::cli
