#include "messages/values/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace soma::inline values {

void assertion_failed(const char* expression, const char* why, const char* file,
                      int line) noexcept {
  std::fprintf(stderr, "%s:%d: expected %s: %s\n", file, line, expression, why);
  std::fflush(stderr);
  std::abort();
}

}  // namespace soma::inline values
