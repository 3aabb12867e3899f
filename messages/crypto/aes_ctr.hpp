// AES-256 in counter mode, the cipher of published weights. Encryption and decryption are one
// operation, and any part of a stream can be computed without the rest. A key and IV are used for
// one content only (protocol §6). Nothing here authenticates: the content that results from
// decryption is checked by its hash.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "messages/values/ids.hpp"

namespace soma::crypto {

class aes_ctr {
 public:
  aes_ctr(const cipher_key& key, const cipher_iv& iv);
  ~aes_ctr();
  aes_ctr(aes_ctr&&) noexcept;
  aes_ctr& operator=(aes_ctr&&) noexcept;

  /// Applies the stream's bytes [offset, offset + data.size()) to `data` in place. Continuing where
  /// the last call ended costs nothing extra; any other offset sets up the cipher anew.
  void apply(std::uint64_t offset, std::span<std::uint8_t> data);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace soma::crypto
