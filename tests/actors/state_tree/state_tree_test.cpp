#include <doctest/doctest.h>

#include <set>

#include "tests/actors/state_tree/state_rows.hpp"

namespace soma::test {
namespace {

state_tree::tree tree_of(const plain_rows& rows) {
  state_tree::tree::builder scan;
  for (const auto& [key, value] : rows) scan.add(key, value);
  return std::move(scan).finish();
}

// Protocol §11.2 and §11.3.
TEST_CASE(
    "the root is that of the definition: for no row, one row, many rows and keys of one bucket") {
  CHECK(state_tree::tree().root() == plain_root({}));
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    plain_rows rows;
    rows[key_from(seed)] = value_from(d);
    CHECK(tree_of(rows).root() == plain_root(rows));
    rows = random_rows(d, 600);
    CHECK(tree_of(rows).root() == plain_root(rows));
    state_tree::tree changed;
    CHECK(changed.apply(changes_of(rows)) == plain_root(rows));
    CHECK(changed.rows() == rows.size());
  }
}

TEST_CASE(
    "the root depends on the rows alone: not on order, not on detours, not on the size of steps") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    auto rows = random_rows(d, 400);
    const auto whole = tree_of(rows);
    auto shuffled = changes_of(rows);
    shuffle(shuffled, d);
    const auto detour = key_from(d.next());
    state_tree::tree piecemeal;
    for (std::size_t at = 0; at < shuffled.size();) {
      const auto count = std::min<std::size_t>(1 + d.below(40), shuffled.size() - at);
      std::vector<row_change> step(shuffled.begin() + static_cast<long>(at),
                                   shuffled.begin() + static_cast<long>(at + count));
      step.push_back({detour, value_from(d)});  // removed again below
      auto next = piecemeal.prepare(step);
      const auto promised = next.root;
      CHECK(piecemeal.root() != promised);
      CHECK(piecemeal.apply(std::move(next)) == promised);
      at += count;
    }
    piecemeal.apply(std::vector<row_change>{{detour, std::nullopt}});
    CHECK(piecemeal.root() == whole.root());
    CHECK(piecemeal.totals() == whole.totals());
    std::next(rows.begin(), static_cast<long>(d.below(rows.size())))->second.front() ^= 1;
    CHECK(tree_of(rows).root() != whole.root());
  }
}

TEST_CASE("after every random block of puts and erasures the root is that of a tree built afresh") {
  std::set<bool> was_split;  // the bucket with the searched keys grew over a leaf and shrank back
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    plain_rows rows;
    state_tree::tree tree;
    const auto pick = [&]() -> bytes {
      if (d.chance(60)) return ground_keys()[d.below(45)];
      if (rows.empty() || d.chance(50)) return key_from(d.below(2'000));
      return std::next(rows.begin(), static_cast<long>(d.below(rows.size())))->first;
    };
    for (int step = 0; step < 40; ++step) {
      CAPTURE(step);
      const auto erases_percent = step / 10 % 2 == 0 ? 20 : 80;
      std::vector<row_change> changes;
      const auto count = d.below(50);
      for (std::uint64_t i = 0; i < count; ++i) {
        changes.push_back({pick(), std::nullopt});
        if (!d.chance(static_cast<std::uint64_t>(erases_percent))) {
          changes.back().value = value_from(d);
        }
      }
      for (const auto& change : changes) {  // in order, so that the last change of a row holds
        if (change.value) {
          rows[change.key] = *change.value;
        } else {
          rows.erase(change.key);
        }
      }
      const auto before = tree.root();
      auto next = tree.prepare(changes);
      REQUIRE(tree.root() == before);
      REQUIRE(next.root == tree.prepare(changes).root);
      tree.apply(std::move(next));
      REQUIRE(tree.root() == tree_of(rows).root());
      REQUIRE(tree.rows() == rows.size());
      if (step % 10 == 9) REQUIRE(tree.root() == plain_root(rows));
      was_split.insert(tree.find(state_tree::key_hash(ground_keys()[0])).siblings.size() > 16);
    }
  }
  CHECK(was_split.size() == 2);
}

TEST_CASE("removing every row leads back to the root of an empty tree") {
  state_tree::tree tree;
  const auto nothing = tree.root();
  dice d{1};
  auto changes = changes_of(random_rows(d, 500));
  tree.apply(changes);
  shuffle(changes, d);
  for (auto& change : changes) change.value.reset();
  changes.push_back({key_from(3), std::nullopt});  // a key that never existed
  tree.apply(changes);
  CHECK(tree.root() == nothing);
  CHECK(tree.rows() == 0);
  CHECK(tree.totals() == state_totals{});
  CHECK(tree.prepare({}).root == nothing);
}

// Protocol §11.3.
TEST_CASE("the root binds how many rows there are and how many bytes they have") {
  const hash256 top = id_from(1);
  CHECK(state_tree::root_of(top, {1, 2}) != state_tree::root_of(top, {2, 2}));
  CHECK(state_tree::root_of(top, {1, 2}) != state_tree::root_of(top, {1, 3}));
  state_tree::tree tree;
  tree.apply(std::vector<row_change>{{bytes(33), bytes(40)}, {bytes(1), bytes(7)}});
  CHECK(tree.totals() == state_totals{2, 81});
  tree.apply(std::vector<row_change>{{bytes(33), bytes(4)}, {bytes(1), bytes(6)}});
  CHECK(tree.totals() == state_totals{2, 44});
}

TEST_CASE("keys that agree in almost all bits make a deep tree, not a wrong one") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    const auto common_bits = static_cast<unsigned>(16 + d.below(230));
    std::set<hash256> keys;
    const auto base = id_from(seed);
    while (keys.size() < 60) {
      auto key = id_from(d.next());
      for (unsigned bit = 0; bit < common_bits; ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80 >> bit % 8);
        key.value[bit / 8] =
            static_cast<std::uint8_t>((key.value[bit / 8] & ~mask) | (base.value[bit / 8] & mask));
      }
      keys.insert(key);
    }
    std::vector<state_pair> pairs;
    std::vector<bytes> plain;
    for (const auto& key : keys) {
      pairs.push_back({key, id_from(d.next())});
      plain.emplace_back(key.value.begin(), key.value.end());
      plain.back().insert(plain.back().end(), pairs.back().value.value.begin(),
                          pairs.back().value.value.end());
    }
    CHECK(state_tree::subtree_hash(pairs, 16) == plain_tree(plain, 16));
  }
}

TEST_CASE("a copy of a tree goes its own way") {
  dice d{5};
  auto tree = tree_of(random_rows(d, 300));
  const auto before = tree.root();
  auto copy = tree;
  copy.apply(std::vector<row_change>{{ground_keys()[0], std::nullopt}});
  CHECK(copy.root() != before);
  CHECK(tree.root() == before);
  tree.apply(std::vector<row_change>{{ground_keys()[0], std::nullopt}});
  CHECK(tree.root() == copy.root());
}

}  // namespace
}  // namespace soma::test
