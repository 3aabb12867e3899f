// SOMA_ASSERT: a statement about our own code that stays on in release builds. A failure aborts
// with what was expected. Never used on foreign input: a peer's nonsense is a named refusal.
#pragma once

namespace soma::inline values {
[[noreturn]] void assertion_failed(const char* expression, const char* why, const char* file,
                                   int line) noexcept;
}

#define SOMA_ASSERT(condition, why)       \
  (static_cast<bool>(condition) ? void(0) \
                                : ::soma::assertion_failed(#condition, why, __FILE__, __LINE__))
