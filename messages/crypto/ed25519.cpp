#include "messages/crypto/ed25519.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "messages/crypto/hash.hpp"
#include "messages/crypto/openssl.hpp"

namespace soma::crypto {
namespace {

/// The y coordinates (little endian, sign of x cleared) of the eight points whose order divides 8.
constexpr std::array<public_key, 5> small_order_y{{
    {},
    {0x01},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
}};

/// True if y is below p = 2^255 - 19. The number is little endian with the top bit cleared.
bool is_canonical(const public_key& y) {
  const bool all_ones = y[31] == 0x7f && std::all_of(y.begin() + 1, y.end() - 1,
                                                     [](std::uint8_t b) { return b == 0xff; });
  return !(all_ones && y[0] >= 0xed);
}

}  // namespace

struct key_pair::secret {
  pkey_ptr key;
};

key_pair::key_pair(std::shared_ptr<const secret> held, const public_key& key)
    : secret_(std::move(held)), public_(key) {}

key_pair key_pair::from_seed(std::span<const std::uint8_t, 32> seed) {
  auto held = std::make_shared<secret>();
  held->key.reset(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  require(held->key != nullptr, "Ed25519 key from seed");
  public_key key;
  std::size_t size = key.size();
  require(
      EVP_PKEY_get_raw_public_key(held->key.get(), key.data(), &size) == 1 && size == key.size(),
      "Ed25519 public key");
  return {std::move(held), key};
}

key_pair key_pair::generate(random_source& random) {
  std::array<std::uint8_t, 32> seed;
  random.fill(seed);
  auto made = from_seed(seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return made;
}

signature key_pair::sign(byte_view message) const {
  const md_ctx_ptr context(EVP_MD_CTX_new());
  require(context != nullptr, "no memory for a signature");
  signature made;
  std::size_t size = made.size();
  require(
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, secret_->key.get()) == 1 &&
          EVP_DigestSign(context.get(), made.data(), &size, message.data(), message.size()) == 1 &&
          size == made.size(),
      "Ed25519 signature");
  return made;
}

std::array<std::uint8_t, 32> key_pair::seed() const {
  std::array<std::uint8_t, 32> seed;
  std::size_t size = seed.size();
  require(EVP_PKEY_get_raw_private_key(secret_->key.get(), seed.data(), &size) == 1 &&
              size == seed.size(),
          "Ed25519 seed");
  return seed;
}

bool is_acceptable(const public_key& key) {
  public_key y = key;
  y[31] &= 0x7f;
  return is_canonical(y) &&
         std::find(small_order_y.begin(), small_order_y.end(), y) == small_order_y.end();
}

bool verify(const public_key& key, byte_view message, const signature& by_key) {
  if (!is_acceptable(key)) return false;
  const pkey_ptr handle(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const md_ctx_ptr context(EVP_MD_CTX_new());
  require(handle != nullptr && context != nullptr, "no memory for a verification");
  require(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, handle.get()) == 1,
          "Ed25519 verification");
  return EVP_DigestVerify(context.get(), by_key.data(), by_key.size(), message.data(),
                          message.size()) == 1;
}

address address_of(const public_key& key) {
  return tagged_hash("soma.address").add(key).finish_as<address>();
}

}  // namespace soma::crypto
