#include "actors/ledger/state_lists.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/actors/rules/dice.hpp"

namespace soma::test {
namespace {

hash256 id_from(std::uint64_t number) {
  hash256 id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.value[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  }
  return id;
}

std::vector<hash256> numbered(std::uint64_t first, std::uint64_t count) {
  std::vector<hash256> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(id_from(first + i));
  std::ranges::sort(all);
  return all;
}

// Protocol §11.6.
TEST_CASE("who joins takes the places of those that left; then the last ones move up") {
  const auto a = id_from(1), b = id_from(2), c = id_from(3), d = id_from(4), e = id_from(5);
  const auto x = id_from(8);
  const std::vector joined{x};
  using list = std::vector<hash256>;
  CHECK(ledger::changed_list({a, b, c}, {}, joined) == list{a, b, c, x});
  CHECK(ledger::changed_list({a, b, c, d, e}, {b}, joined) == list{a, x, c, d, e});
  CHECK(ledger::changed_list({a, b, c, d, e}, {b, d}, joined) == list{a, x, c, e});
  CHECK(ledger::changed_list({a, b, c, d, e}, {b, e}, {}) == list{a, d, c});
  CHECK(ledger::changed_list({a, b, c}, {a, b, c}, {}).empty());
  CHECK(ledger::changed_list({}, {}, joined) == joined);
}

// Protocol §11.6.
TEST_CASE("a list keeps all that stays, has no gaps, and moves few") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    auto list = numbered(1, d.below(200));
    const auto joined = numbered(1'000, d.below(20));
    std::set<hash256> left;
    for (const auto& id : list) {
      if (d.chance(15)) left.insert(id);
    }
    const auto after = ledger::changed_list(list, left, joined);
    std::set<hash256> wanted(list.begin(), list.end());
    for (const auto& id : left) wanted.erase(id);
    wanted.insert(joined.begin(), joined.end());
    CHECK(after.size() == wanted.size());
    CHECK(std::set<hash256>(after.begin(), after.end()) == wanted);
    std::size_t moved = 0;
    for (std::size_t place = 0; place < std::min(after.size(), list.size()); ++place) {
      moved += after[place] == list[place] ? 0 : 1;
    }
    CHECK(moved <= left.size());
  }
}

}  // namespace
}  // namespace soma::test
