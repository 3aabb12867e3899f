// The cryptographic library failed at something that cannot fail on account of its input: out of
// memory, no entropy.
#pragma once

#include <stdexcept>

namespace soma::crypto {

struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace soma::crypto
