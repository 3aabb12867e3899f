#include "actors/state_tree/state_hashes.hpp"

namespace soma::state_tree {

std::uint64_t prefix_of(const hash256& key, unsigned depth) {
  SOMA_ASSERT(depth >= 1 && depth <= 64, "a prefix that a number holds");
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < 8; ++i) first = first << 8 | key.value[i];
  return first >> (64 - depth);
}

const hash256& empty_leaf_hash() {
  static const hash256 known = crypto::hash("soma.state-leaf", {});
  return known;
}

hash256 branch_hash(const hash256& left, const hash256& right) {
  return crypto::tagged_hash("soma.state-node").add(left).add(right).finish();
}

state_root root_of(const hash256& top, const state_totals& totals) {
  return crypto::tagged_hash("soma.state")
      .add(top)
      .add_u64(totals.rows)
      .add_u64(totals.bytes)
      .finish_as<state_root>();
}

bool is_range(const state_range& range) {
  if (range.depth == bucket_depth) return range.first < range.end && range.end <= bucket_count;
  return range.depth > bucket_depth && range.depth <= deepest_range &&
         range.first < std::uint64_t{1} << range.depth && range.end == range.first + 1;
}

hash256 subtree_hash(std::span<const state_pair> rows, unsigned depth) {
  if (rows.size() <= max_leaf_rows) return leaf_hash(rows);
  SOMA_ASSERT(depth < max_state_depth, "no two rows have one key");
  const auto middle = std::ranges::partition_point(
      rows, [&](const state_pair& row) { return !lies_right(row.key, depth); });
  const auto left = static_cast<std::size_t>(middle - rows.begin());
  return branch_hash(subtree_hash(rows.first(left), depth + 1),
                     subtree_hash(rows.subspan(left), depth + 1));
}

}  // namespace soma::state_tree
