// SOMA_ASSERT checks a statement about our own code and stays on in release builds. If the
// statement is false, the program aborts and prints what was expected. It is never used on foreign
// input: bad input of a peer is a named refusal.
#pragma once

namespace soma::inline values {
[[noreturn]] void assertion_failed(const char* expression, const char* why, const char* file,
                                   int line) noexcept;
}

#define SOMA_ASSERT(condition, why)       \
  (static_cast<bool>(condition) ? void(0) \
                                : ::soma::assertion_failed(#condition, why, __FILE__, __LINE__))
