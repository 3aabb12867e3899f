// Prepares blocks on each other before any is applied. Chains fork, and from time to time a block
// of one path becomes final.
#include <doctest/doctest.h>

#include <set>

#include "tests/actors/state_tree/state_rows.hpp"

namespace soma::test {
namespace {

struct link {
  int parent = -1;  // -1 for a block that follows the tree itself
  std::size_t depth = 1;
  state_tree::tree::prepared made;
  state_tree::tree straight;  // the same state, made by applying alone
  bool gone = false;
};

class forks {
 public:
  explicit forks(std::uint64_t seed) : d_{seed} {
    const auto rows = changes_of(random_rows(d_, 300));
    tree_.apply(rows);
    straight_.apply(rows);
  }

  std::size_t deepest = 0;
  std::size_t applied = 0;

  void grow() {
    std::vector<int> parents{-1};
    for (std::size_t i = 0; i < links_.size(); ++i) {
      if (!links_[i].gone && links_[i].depth < 8) parents.push_back(static_cast<int>(i));
    }
    // The latest link is chosen more often, so that chains get long.
    const auto parent = d_.chance(60) ? parents.back() : parents[d_.below(parents.size())];
    const auto below = chain_to(parent);
    auto on = parent < 0 ? straight_ : links_[static_cast<std::size_t>(parent)].straight;
    const auto changes = some_changes();
    auto made = tree_.prepare(changes, below);
    REQUIRE(made.root == on.apply(changes));
    REQUIRE(made.totals == on.totals());
    deepest = std::max(deepest, below.size() + 1);
    links_.push_back({parent, below.size() + 1, std::move(made), std::move(on), false});
  }

  /// Applies a link that follows the tree itself. Links that do not stand on it are dropped.
  void settle() {
    std::vector<int> first;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      if (!links_[i].gone && links_[i].parent < 0) first.push_back(static_cast<int>(i));
    }
    if (first.empty()) return;
    const auto chosen = first[d_.below(first.size())];
    auto& link = links_[static_cast<std::size_t>(chosen)];
    REQUIRE(tree_.apply(std::move(link.made)) == link.straight.root());
    straight_ = std::move(link.straight);
    drop(link);
    ++applied;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      auto& other = links_[i];
      if (other.gone) continue;
      const bool parent_gone =
          other.parent >= 0 && links_[static_cast<std::size_t>(other.parent)].gone;
      if (other.parent == chosen) {
        other.parent = -1;
      } else if (other.parent < 0 || parent_gone) {
        drop(other);
      }
      --other.depth;
    }
  }

 private:
  [[nodiscard]] std::vector<const state_tree::tree::prepared*> chain_to(int at) const {
    std::vector<const state_tree::tree::prepared*> chain;
    for (; at >= 0; at = links_[static_cast<std::size_t>(at)].parent) {
      chain.push_back(&links_[static_cast<std::size_t>(at)].made);
    }
    std::reverse(chain.begin(), chain.end());
    return chain;
  }

  static void drop(link& one) {
    one.gone = true;
    one.made = {};
    one.straight = {};
  }

  [[nodiscard]] std::vector<row_change> some_changes() {
    std::vector<row_change> changes;
    const auto count = d_.below(30);  // 0 occurs, too
    const bool erases = d_.chance(50);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto key = d_.chance(50) ? ground_keys()[d_.below(60)] : key_from(d_.below(400));
      changes.push_back({key, std::nullopt});
      if (!d_.chance(erases ? 80 : 20)) changes.back().value = value_from(d_);
    }
    return changes;
  }

  dice d_;
  state_tree::tree tree_, straight_;
  std::vector<link> links_;
};

TEST_CASE("blocks prepared on each other, in forks eight deep, have the roots of applied ones") {
  std::size_t deepest = 0, applied = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    forks f(seed);
    dice when{seed + 1'000};
    for (int step = 0; step < 25; ++step) {
      CAPTURE(step);
      f.grow();
      if (when.chance(25)) f.settle();
    }
    deepest = std::max(deepest, f.deepest);
    applied += f.applied;
  }
  CHECK(deepest == 8);
  CHECK(applied > 30);
}

TEST_CASE("a change of a lower block is seen through upper blocks that did not touch it") {
  const auto put = [](std::uint64_t key, std::uint8_t value) {
    return std::vector<row_change>{{key_from(key), bytes{value}}};
  };
  state_tree::tree tree;
  std::vector<state_tree::tree::prepared> links;
  std::vector<const state_tree::tree::prepared*> chain;
  links.reserve(9);
  for (std::uint64_t key = 0; key < 8; ++key) {
    links.push_back(tree.prepare(put(key, static_cast<std::uint8_t>(key)), chain));
    chain.push_back(&links.back());
  }
  const auto nothing_more = tree.prepare({}, chain);
  CHECK(nothing_more.root == links.back().root);
  plain_rows rows;
  for (std::uint64_t key = 0; key < 8; ++key) {
    rows[key_from(key)] = bytes{static_cast<std::uint8_t>(key)};
  }
  CHECK(links.back().root == plain_root(rows));
  for (auto& link : links) tree.apply(std::move(link));
  CHECK(tree.root() == plain_root(rows));
}

}  // namespace
}  // namespace soma::test
