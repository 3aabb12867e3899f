// The exception of a world in which an invariant is violated.
#pragma once

#include <stdexcept>
#include <string>

namespace soma::test {

struct violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void must(bool holds, const char* what) {
  if (!holds) throw violation(what);
}
/// `whose` is called only when the invariant is violated.
template <class Whose>
void must(bool holds, const char* what, Whose whose) {
  if (!holds) throw violation(std::string(what) + ": " + whose());
}

}  // namespace soma::test
