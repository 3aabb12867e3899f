// Verifies signatures with OpenSSL alone: a benchmark compares our verification with it. Keys are
// prepared beforehand and are not checked, so it must not be used for anything that has to be
// trusted.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "messages/values/ids.hpp"

namespace soma::crypto {

class bare_verifier {
 public:
  struct item {
    public_key key{};
    hash256 message;
    signature by_key{};
  };
  explicit bare_verifier(std::span<const item> items);
  ~bare_verifier();

  /// Verifies all of them one after the other and returns how many hold.
  [[nodiscard]] std::size_t run() const;

 private:
  struct ready;
  std::vector<ready> items_;
};

}  // namespace soma::crypto
