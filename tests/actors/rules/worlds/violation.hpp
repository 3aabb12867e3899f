// What a world throws when something that must always hold does not.
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
/// `whose` is only called when something is wrong.
template <class Whose>
void must(bool holds, const char* what, Whose whose) {
  if (!holds) throw violation(std::string(what) + ": " + whose());
}

}  // namespace soma::test
