// What OpenSSL alone takes to verify signatures: what a benchmark holds ours against. Keys are made
// ready beforehand and nothing is asked of them; not for anything that has to be trusted.
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

  /// Verifies all of them, one after the other; how many hold.
  [[nodiscard]] std::size_t run() const;

 private:
  struct ready;
  std::vector<ready> items_;
};

}  // namespace soma::crypto
