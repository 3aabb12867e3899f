// Published answers, and inputs that must be refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "messages/crypto/aes_ctr.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/crypto/random.hpp"
#include "tests/messages/codec/samples.hpp"

namespace soma::crypto {
namespace {

template <class Array>
Array hex(std::string_view text) {
  const auto data = from_hex(text);
  REQUIRE(data);
  Array made{};
  REQUIRE(data->size() == made.size());
  std::copy(data->begin(), data->end(), made.begin());
  return made;
}

}  // namespace

TEST_CASE("SHA-256 gives the published digests") {
  CHECK(to_hex(sha256({}).value) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256(as_bytes("abc")).value) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(
      to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).value) ==
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(to_hex(sha256(bytes(1'000'000, 'a')).value) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Protocol §1.3.
TEST_CASE("a tagged hash is the hash of length, tag and content, in whatever parts") {
  const std::string plain =
      std::string("\x08soma.tag") + "content" + std::string("\1\0\2\0\0\0", 6);
  CHECK(tagged_hash("soma.tag")
            .add(as_bytes("con"))
            .add(as_bytes("tent"))
            .add_u16(1)
            .add_u32(2)
            .finish() == sha256(as_bytes(plain)));
  CHECK(hash("soma.tag", as_bytes("x")) != hash("soma.ta", as_bytes("gx")));
}

TEST_CASE("Ed25519 signs and verifies as RFC 8032 says") {
  struct vector {
    const char *seed, *key, *message, *signature;
  };
  const vector vectors[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
       "9b4"
       "6bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
       "11d"
       "8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
       "dc6"
       "594a7c15e9716ed28dc027beceea1ec40a"},
  };
  for (const auto& v : vectors) {
    const auto key = key_pair::from_seed(hex<public_key>(v.seed));
    CHECK(key.public_half() == hex<public_key>(v.key));
    CHECK(key.seed() == hex<public_key>(v.seed));
    const auto message = *from_hex(v.message);
    CHECK(key.sign(message) == hex<signature>(v.signature));
    CHECK(verify(key.public_half(), message, hex<signature>(v.signature)));
  }
}

TEST_CASE("a signature with any bit of it, its message or its key changed does not verify") {
  seeded_random random(1);
  const auto key = key_pair::generate(random);
  bytes message(20, 3);
  auto made = key.sign(message);
  for (std::size_t bit = 0; bit < made.size() * 8; ++bit) {
    made[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    REQUIRE(!verify(key.public_half(), message, made));
    made[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    message[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    REQUIRE(!verify(key.public_half(), message, made));
    message[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    auto other = key.public_half();
    other[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    REQUIRE(!verify(other, message, made));
  }
}

// Protocol §1.4.
TEST_CASE("keys of small order and in other than canonical form are refused") {
  const std::string f60(60, 'f');
  const std::string zeros(62, '0');
  const std::string refused[] = {
      "00" + zeros,
      "01" + zeros,
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "ec" + f60 + "7f",  // p - 1
      "ed" + f60 + "7f",
      "ee" + f60 + "7f",  // p, p + 1: zero and one again
      "f0" + f60 + "7f",
      "ff" + f60 + "7f",
  };
  for (const auto& text : refused) {
    CAPTURE(text);
    auto key = hex<public_key>(text);
    CHECK(!is_acceptable(key));
    key[31] |= 0x80;  // the other x coordinate
    CHECK(!is_acceptable(key));
    // With a key of small order this signature satisfies the bare equation for many messages.
    signature forged{};
    forged[0] = 1;
    for (std::uint8_t i = 0; i < 16; ++i) CHECK(!verify(key, byte_view(&i, 1), forged));
  }
  // p - 2 is canonical, whatever point it stands for.
  CHECK(is_acceptable(hex<public_key>("eb" + f60 + "7f")));
}

TEST_CASE("S has to be below the order of the group: no second signature for one statement") {
  const std::uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  for (const auto seed : test::seeds(20)) {
    CAPTURE(seed);
    seeded_random random(seed);
    const auto key = key_pair::generate(random);
    const bytes message(5, static_cast<std::uint8_t>(seed));
    auto made = key.sign(message);
    REQUIRE(verify(key.public_half(), message, made));
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      carry += made[32 + i] + order[i];
      made[32 + i] = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    CHECK(!verify(key.public_half(), message, made));
  }
}

TEST_CASE("AES-256-CTR gives what NIST SP 800-38A F.5.5 says, from any offset") {
  const auto key =
      hex<cipher_key>("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const auto iv = hex<cipher_iv>("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const bytes plain = *from_hex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  const bytes closed = *from_hex(
      "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
      "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");
  aes_ctr cipher(key, iv);
  for (std::size_t from = 0; from <= plain.size(); ++from) {
    for (std::size_t to = from; to <= plain.size(); ++to) {
      bytes part(plain.begin() + static_cast<std::ptrdiff_t>(from),
                 plain.begin() + static_cast<std::ptrdiff_t>(to));
      cipher.apply(from, part);
      REQUIRE(
          std::equal(part.begin(), part.end(), closed.begin() + static_cast<std::ptrdiff_t>(from)));
    }
  }
}

TEST_CASE("the counter carries through all its bytes, and pieces make the same stream") {
  cipher_iv iv;
  iv.fill(0xff);  // all bytes of the counter wrap at the next block
  seeded_random random(2);
  cipher_key key;
  random.fill(key);
  bytes whole(100'000, 0);
  aes_ctr(key, iv).apply(0, whole);
  for (const auto seed : test::seeds(100)) {
    CAPTURE(seed);
    test::sampler s(seed);
    aes_ctr cipher(key, iv);
    for (int i = 0; i < 5; ++i) {
      const auto from = s.below(whole.size());
      bytes part(s.below(whole.size() - from + 1), 0);
      cipher.apply(from, part);
      REQUIRE(
          std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(from)));
    }
  }
  // Beyond 2^32 blocks the offset reaches the upper counter words.
  bytes far(16, 0);
  aes_ctr(key, iv).apply((std::uint64_t{1} << 40) + 16, far);
  cipher_iv moved{};
  moved[10] = 1;  // iv + 1 is zero, and 2^36 blocks more is this
  moved[10] = 0x00, moved[11] = 0x10;
  bytes near(16, 0);
  aes_ctr(key, moved).apply(0, near);
  CHECK(far == near);
}

TEST_CASE("a seed's randomness is one stream, whatever pieces it is drawn in") {
  bytes whole(1'000);
  seeded_random(7).fill(whole);
  seeded_random pieces(7);
  test::sampler s(1);
  for (std::size_t at = 0; at < whole.size();) {
    bytes part(std::min<std::size_t>(s.below(50), whole.size() - at));
    pieces.fill(part);
    REQUIRE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(at)));
    at += part.size();
  }
  CHECK(seeded_random(8).next_u64() != seeded_random(7).next_u64());
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(pieces.below(7));
  CHECK(seen.size() == 7);
  CHECK(*seen.rbegin() == 6);
  system_random system;
  CHECK(system.next_u64() != system.next_u64());
}

}  // namespace soma::crypto
