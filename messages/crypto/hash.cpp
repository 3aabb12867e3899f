#include "messages/crypto/hash.hpp"

#include <algorithm>
#include <vector>

#include "messages/crypto/openssl.hpp"
#include "messages/values/assert.hpp"

namespace soma::crypto {
namespace {

const EVP_MD* sha256_method() {
  static const EVP_MD* method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(method != nullptr, "SHA-256 is not available");
  return method;
}

}  // namespace

/// OpenSSL's hash context. A thread keeps a few of them, since making one costs as much as hashing
/// a short message.
struct tagged_hash::context {
  md_ctx_ptr state{EVP_MD_CTX_new()};

  static constexpr std::size_t most_spare = 8;
  static std::vector<std::unique_ptr<context>>& spare() {
    thread_local std::vector<std::unique_ptr<context>> at_hand;
    return at_hand;
  }

  /// Prepares the context for the first byte.
  void begin() {
    require(state != nullptr, "no memory for a hash");
    require(EVP_DigestInit_ex2(state.get(), sha256_method(), nullptr) == 1, "SHA-256 init");
  }
  void feed(byte_view data) {
    require(EVP_DigestUpdate(state.get(), data.data(), data.size()) == 1, "SHA-256 update");
  }
  hash256 finish() {
    hash256 digest;
    require(EVP_DigestFinal_ex(state.get(), digest.value.data(), nullptr) == 1, "SHA-256 final");
    return digest;
  }

  static std::unique_ptr<context, give_back> take() {
    auto& at_hand = spare();
    std::unique_ptr<context, give_back> taken;
    if (at_hand.empty()) {
      taken.reset(new context);
    } else {
      taken.reset(at_hand.back().release());
      at_hand.pop_back();
    }
    taken->begin();
    return taken;
  }
};

void tagged_hash::give_back::operator()(context* done) const noexcept {
  std::unique_ptr<context> owned(done);
  auto& at_hand = context::spare();
  if (owned->state != nullptr && at_hand.size() < context::most_spare) {
    at_hand.push_back(std::move(owned));
  }
}

tagged_hash::tagged_hash(std::string_view tag) {
  SOMA_ASSERT(tag.size() < 256, "a tag's length is one byte");
  add_u8(static_cast<std::uint8_t>(tag.size()));
  add(as_bytes(tag));
}

tagged_hash::~tagged_hash() = default;
tagged_hash::tagged_hash(tagged_hash&&) noexcept = default;
tagged_hash& tagged_hash::operator=(tagged_hash&&) noexcept = default;

void tagged_hash::feed(byte_view data) {
  if (context_ == nullptr) context_ = context::take();
  context_->feed(data);
}

tagged_hash& tagged_hash::add(byte_view data) {
  if (data.size() > gathered_.size() - gathered_bytes_) {
    feed(byte_view(gathered_).first(gathered_bytes_));
    gathered_bytes_ = 0;
    if (data.size() > gathered_.size()) {
      feed(data);
      return *this;
    }
  }
  std::ranges::copy(data, gathered_.begin() + static_cast<std::ptrdiff_t>(gathered_bytes_));
  gathered_bytes_ += data.size();
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
  const auto rest = byte_view(gathered_).first(gathered_bytes_);
  // All the bytes are gathered here, and no other code can use the thread's context meanwhile.
  if (context_ == nullptr) {
    thread_local context own;
    own.begin();
    own.feed(rest);
    return own.finish();
  }
  context_->feed(rest);
  const auto digest = context_->finish();
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
