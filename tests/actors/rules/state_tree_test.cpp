#include <doctest/doctest.h>

#include "actors/rules/state_tree.hpp"
#include "messages/crypto/hash.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

row_change row(std::uint64_t key, std::uint64_t value) {
  const auto k = id_from(key).value;
  const auto v = id_from(value).value;
  return {row_key(k.begin(), k.end()), bytes(v.begin(), v.end())};
}

TEST_CASE("the root of one row is what the definition says, computed by hand up one path") {
  const auto change = row(1, 2);
  const auto key = crypto::hash("soma.row-key", change.key);
  const auto value = crypto::hash("soma.row", *change.value);
  hash256 node = crypto::tagged_hash("soma.bucket").add(key).add(value).finish();
  hash256 empty = crypto::hash("soma.bucket", {});
  std::size_t index = static_cast<std::size_t>(key.value[0]) * 256 + key.value[1];
  for (int level = 0; level < 16; ++level) {
    crypto::tagged_hash h("soma.node");
    if (index % 2 == 0) {
      h.add(node).add(empty);
    } else {
      h.add(empty).add(node);
    }
    node = h.finish();
    empty = crypto::tagged_hash("soma.node").add(empty).add(empty).finish();
    index /= 2;
  }
  rules::state_tree tree;
  CHECK(tree.root() == empty.as<state_tag>());
  CHECK(tree.apply(std::vector{change}) == node.as<state_tag>());
  CHECK(tree.rows() == 1);
}

TEST_CASE(
    "the root depends on the rows alone: not on order, not on detours, not on the size of steps") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    dice d{seed};
    std::vector<row_change> rows;
    for (std::uint64_t i = 0; i < 300; ++i) rows.push_back(row(seed * 1'000 + i, d.next()));
    rules::state_tree whole;
    whole.apply(rows);
    rules::state_tree piecemeal;
    auto shuffled = rows;
    for (std::size_t i = shuffled.size(); i > 1; --i)
      std::swap(shuffled[i - 1], shuffled[d.below(i)]);
    for (std::size_t at = 0; at < shuffled.size();) {
      const auto count = std::min<std::size_t>(1 + d.below(40), shuffled.size() - at);
      std::vector<row_change> step(shuffled.begin() + static_cast<long>(at),
                                   shuffled.begin() + static_cast<long>(at + count));
      step.push_back(row(seed * 1'000 + 999, d.next()));  // a detour, taken back below
      const auto promised = piecemeal.preview(step);
      CHECK(piecemeal.root() != promised);
      CHECK(piecemeal.apply(step) == promised);
      at += count;
    }
    piecemeal.apply(std::vector<row_change>{{row(seed * 1'000 + 999, 0).key, std::nullopt}});
    CHECK(piecemeal.root() == whole.root());
    CHECK(piecemeal.rows() == whole.rows());
    rows[d.below(rows.size())].value->front() ^= 1;
    rules::state_tree other;
    CHECK(other.apply(rows) != whole.root());
  }
}

TEST_CASE("removing every row leads back to the root of nothing") {
  rules::state_tree tree;
  const auto nothing = tree.root();
  tree.apply(std::vector{row(1, 1), row(2, 2)});
  tree.apply(std::vector<row_change>{
      {row(1, 0).key, std::nullopt}, {row(2, 0).key, std::nullopt}, {row(3, 0).key, std::nullopt}});
  CHECK(tree.root() == nothing);
  CHECK(tree.rows() == 0);
  CHECK(tree.preview({}) == nothing);
}

}  // namespace
}  // namespace soma::test
