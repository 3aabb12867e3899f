#include "messages/crypto/hash.hpp"

#include "messages/crypto/openssl.hpp"
#include "messages/types/assert.hpp"

namespace soma::crypto {
namespace {

const EVP_MD* sha256_method() {
  static const EVP_MD* method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(method != nullptr, "SHA-256 is not available");
  return method;
}

}  // namespace

struct tagged_hash::context {
  md_ctx_ptr state{EVP_MD_CTX_new()};
};

tagged_hash::tagged_hash(std::string_view tag) : context_(std::make_unique<context>()) {
  SOMA_ASSERT(tag.size() < 256, "a tag's length is one byte");
  require(context_->state != nullptr, "no memory for a hash");
  require(EVP_DigestInit_ex2(context_->state.get(), sha256_method(), nullptr) == 1, "SHA-256 init");
  add_u8(static_cast<std::uint8_t>(tag.size()));
  add(as_bytes(tag));
}

tagged_hash::~tagged_hash() = default;
tagged_hash::tagged_hash(tagged_hash&&) noexcept = default;
tagged_hash& tagged_hash::operator=(tagged_hash&&) noexcept = default;

tagged_hash& tagged_hash::add(byte_view data) {
  require(EVP_DigestUpdate(context_->state.get(), data.data(), data.size()) == 1, "SHA-256 update");
  return *this;
}

tagged_hash& tagged_hash::add_u8(std::uint8_t value) {
  return add(byte_view(&value, 1));
}

tagged_hash& tagged_hash::add_u16(std::uint16_t value) {
  const std::uint8_t raw[2] = {static_cast<std::uint8_t>(value),
                               static_cast<std::uint8_t>(value >> 8)};
  return add(raw);
}

tagged_hash& tagged_hash::add_u32(std::uint32_t value) {
  add_u16(static_cast<std::uint16_t>(value));
  return add_u16(static_cast<std::uint16_t>(value >> 16));
}

tagged_hash& tagged_hash::add_u64(std::uint64_t value) {
  add_u32(static_cast<std::uint32_t>(value));
  return add_u32(static_cast<std::uint32_t>(value >> 32));
}

hash256 tagged_hash::finish() {
  hash256 digest;
  require(EVP_DigestFinal_ex(context_->state.get(), digest.value.data(), nullptr) == 1,
          "SHA-256 final");
  context_.reset();
  return digest;
}

hash256 hash(std::string_view tag, byte_view data) {
  return tagged_hash(tag).add(data).finish();
}

hash256 sha256(byte_view data) {
  hash256 digest;
  require(EVP_Digest(data.data(), data.size(), digest.value.data(), nullptr, sha256_method(),
                     nullptr) == 1,
          "SHA-256");
  return digest;
}

}  // namespace soma::crypto
