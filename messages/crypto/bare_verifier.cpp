#include "messages/crypto/bare_verifier.hpp"

#include "messages/crypto/openssl.hpp"

namespace soma::crypto {

struct bare_verifier::ready {
  pkey_ptr key;
  hash256 message;
  signature by_key{};
};

bare_verifier::bare_verifier(std::span<const item> items) {
  for (const auto& i : items) {
    pkey_ptr key(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, i.key.data(), i.key.size()));
    require(key != nullptr, "Ed25519 key");
    items_.push_back({std::move(key), i.message, i.by_key});
  }
}

bare_verifier::~bare_verifier() = default;

std::size_t bare_verifier::run() const {
  std::size_t held = 0;
  for (const auto& i : items_) {
    const md_ctx_ptr context(EVP_MD_CTX_new());
    require(context != nullptr, "no memory for a verification");
    require(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, i.key.get()) == 1,
            "Ed25519 verification");
    held += EVP_DigestVerify(context.get(), i.by_key.data(), i.by_key.size(),
                             i.message.value.data(), i.message.value.size()) == 1;
  }
  return held;
}

}  // namespace soma::crypto
