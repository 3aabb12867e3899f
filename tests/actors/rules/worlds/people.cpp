#include "tests/actors/rules/worlds/people.hpp"

#include <unordered_map>

#include "tests/actors/rules/dice.hpp"

namespace soma::test {

const std::vector<someone>& everybody() {
  static const auto all = [] {
    std::vector<someone> made;
    for (std::size_t i = 0; i < key_count; ++i) {
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
    for (std::size_t i = 0; i < key_count; ++i) made.emplace(everybody()[i].where, i);
    return made;
  }();
  const auto found = index.find(where);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

}  // namespace soma::test
