#include "tests/actors/rules/worlds/people.hpp"

#include <map>
#include <unordered_map>

#include "messages/signing/signing.hpp"
#include "tests/actors/rules/dice.hpp"

namespace soma::test {
namespace {

hash256 core_of(std::size_t key, std::uint64_t number) {
  hash256 core;
  core.value[0] = static_cast<std::uint8_t>(1 + key);
  for (std::size_t i = 0; i < 8; ++i) {
    core.value[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return core;
}

}  // namespace

const std::vector<someone>& everybody() {
  static const auto all = [] {
    std::vector<someone> made;
    for (std::size_t i = 0; i < first_voter + voter_count; ++i) {
      auto keys = crypto::key_pair::from_seed(id_from(0xbeef + i).value);
      const auto where = crypto::address_of(keys.public_half());
      made.push_back({std::move(keys), where});
    }
    return made;
  }();
  return all;
}

std::optional<std::size_t> person_at(const address& where) {
  static const auto index = [] {
    std::unordered_map<address, std::size_t> made;
    for (std::size_t i = 0; i < everybody().size(); ++i) made.emplace(everybody()[i].where, i);
    return made;
  }();
  const auto found = index.find(where);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

std::size_t key_at(const public_key& key) {
  static const auto by_key = [] {
    std::map<public_key, std::size_t> all;
    for (std::size_t i = 0; i < everybody().size(); ++i) {
      all.emplace(everybody()[i].keys.public_half(), i);
    }
    return all;
  }();
  return by_key.at(key);
}

hash256 outermost_layer(std::size_t key, std::uint64_t number) {
  auto layer = core_of(key, number);
  for (std::size_t i = 0; i < onion_layers; ++i) layer = signing::layer_around(layer);
  return layer;
}

std::optional<hash256> peel_at(const std::optional<onion_row>& onion, std::size_t key,
                               block_height height) {
  const auto due = rules::due_at(onion, height);
  if (due.layer == hash256{}) return hash256{};
  auto layer = core_of(key, due.number);
  for (std::size_t i = 0; i < onion_layers; ++i) {
    const auto around = signing::layer_around(layer);
    if (around == due.layer) return layer;
    layer = around;
  }
  return std::nullopt;
}

}  // namespace soma::test
