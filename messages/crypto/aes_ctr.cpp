#include "messages/crypto/aes_ctr.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "messages/crypto/openssl.hpp"

namespace soma::crypto {
namespace {

/// The counter block that lies `blocks` after `iv`: one 128-bit big-endian number, which wraps as
/// the mode prescribes.
cipher_iv advanced(cipher_iv iv, std::uint64_t blocks) {
  unsigned carry = 0;
  for (int i = 15; i >= 0; --i) {
    auto& digit = iv[static_cast<std::size_t>(i)];
    const unsigned sum = digit + static_cast<unsigned>(blocks & 0xff) + carry;
    digit = static_cast<std::uint8_t>(sum);
    carry = sum >> 8;
    blocks >>= 8;
  }
  return iv;
}

}  // namespace

struct aes_ctr::state {
  cipher_key key;
  cipher_iv iv;
  cipher_ctx_ptr cipher{EVP_CIPHER_CTX_new()};
  std::uint64_t at = 0;

  state(const cipher_key& with_key, const cipher_iv& with_iv) : key(with_key), iv(with_iv) {}
  ~state() { OPENSSL_cleanse(key.data(), key.size()); }

  void step(std::uint8_t* data, std::size_t size) {
    while (size > 0) {
      const int part = static_cast<int>(std::min<std::size_t>(size, std::size_t{1} << 30));
      int done = 0;
      require(EVP_EncryptUpdate(cipher.get(), data, &done, data, part) == 1 && done == part,
              "AES-256-CTR");
      data += part;
      size -= static_cast<std::size_t>(part);
      at += static_cast<std::uint64_t>(part);
    }
  }

  void seek(std::uint64_t offset) {
    const cipher_iv start = advanced(iv, offset / 16);
    require(
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_ctr(), nullptr, key.data(), start.data()) == 1,
        "AES-256-CTR init");
    at = offset - offset % 16;
    std::uint8_t skipped[16]{};
    step(skipped, offset % 16);
  }
};

aes_ctr::aes_ctr(const cipher_key& key, const cipher_iv& iv)
    : state_(std::make_unique<state>(key, iv)) {
  require(state_->cipher != nullptr, "no memory for a cipher");
  state_->seek(0);
}

aes_ctr::~aes_ctr() = default;
aes_ctr::aes_ctr(aes_ctr&&) noexcept = default;
aes_ctr& aes_ctr::operator=(aes_ctr&&) noexcept = default;

void aes_ctr::apply(std::uint64_t offset, std::span<std::uint8_t> data) {
  if (offset != state_->at) state_->seek(offset);
  state_->step(data.data(), data.size());
}

}  // namespace soma::crypto
