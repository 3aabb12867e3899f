#include "actors/simulation/keys.hpp"

namespace soma::simulation {
namespace {

template <class Array>
void put_word(Array& to, std::size_t at, std::uint64_t word, std::size_t size = 8) {
  for (std::size_t i = 0; i < size; ++i) to[at + i] = static_cast<std::uint8_t>(word >> (8 * i));
}

template <class Array>
std::uint64_t take_word(const Array& from, std::size_t at, std::size_t size = 8) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) {
    word |= static_cast<std::uint64_t>(from[at + i]) << (8 * i);
  }
  return word;
}

template <class Id>
std::uint64_t digest(const Id& id) {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < 4; ++i) all = mix(all ^ word_of(id, i));
  return all;
}

}  // namespace

chain_id keyring::chain() const {
  return id_from<chain_id>(mix(seed_, 77));
}

public_key keyring::key(std::uint16_t identity, std::uint16_t version) const {
  public_key key{};
  put_word(key, 0, mix(seed_, identity + 1, version));
  put_word(key, 8, identity, 2);
  put_word(key, 10, version, 2);
  return key;
}

address keyring::member(std::uint16_t identity) {
  address member;
  member.value[0] = static_cast<std::uint8_t>((identity + 1) >> 8);
  member.value[1] = static_cast<std::uint8_t>(identity + 1);
  return member;
}

std::uint16_t keyring::identity_of(const address& member) {
  return static_cast<std::uint16_t>(member.value[0] * 256 + member.value[1] - 1);
}

std::optional<keyring::holder> keyring::holder_of(const public_key& key_) const {
  const holder who{static_cast<std::uint16_t>(take_word(key_, 8, 2)),
                   static_cast<std::uint16_t>(take_word(key_, 10, 2))};
  if (key(who.identity, who.version) != key_) return std::nullopt;
  return who;
}

signature keyring::sign(const public_key& key, std::uint64_t digest) const {
  const auto secret = mix(seed_, take_word(key, 0), take_word(key, 8));
  signature s{};
  put_word(s, 0, mix(secret, digest, 1));
  put_word(s, 8, mix(secret, digest, 2));
  return s;
}

signature keyring::sign_block(const public_key& key, const block_id& block) const {
  return sign(key, mix(digest(block), 11));
}

signature keyring::sign_vote(const public_key& key, const vote_statement& vote,
                             const chain_id& chain) const {
  const auto statement_word =
      mix(vote.epoch.value, vote.view.value, static_cast<std::uint64_t>(vote.kind));
  return sign(key, mix(digest(vote.block), statement_word, word_of(chain)));
}

}  // namespace soma::simulation
