// The cryptographic library failed for a reason that does not lie in its input: there is no memory
// or no entropy.
#pragma once

#include <stdexcept>

namespace soma::crypto {

struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace soma::crypto
