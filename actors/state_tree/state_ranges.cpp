// Splits the key hashes into ranges, of which chunks are made.
#include <algorithm>

#include "actors/state_tree/state_tree.hpp"
#include "messages/values/assert.hpp"

namespace soma::state_tree {

using detail::subtree;

namespace {

/// Splits a subtree that alone is too large into the ranges of its parts.
void split(const subtree& tree, unsigned depth, std::uint64_t prefix, std::uint64_t most_bytes,
           std::vector<state_range>& into) {
  if (tree.is_leaf() || tree.totals.bytes <= most_bytes || depth == deepest_range) {
    into.push_back({depth, prefix, prefix + 1});
    return;
  }
  split(tree.halves->left, depth + 1, 2 * prefix, most_bytes, into);
  split(tree.halves->right, depth + 1, 2 * prefix + 1, most_bytes, into);
}

/// The way from a bucket down to a range that is one of its subtrees, with the siblings beside it.
struct way {
  const subtree* at = nullptr;
  std::vector<hash256> siblings;  // from the subtree to the bucket
};
way way_to(const subtree& bucket, const state_range& range) {
  way found{&bucket, {}};
  for (unsigned depth = bucket_depth; depth < range.depth; ++depth) {
    SOMA_ASSERT(!found.at->is_leaf(), "a range that the tree has");
    const bool right = (range.first >> (range.depth - depth - 1) & 1) != 0;
    const auto& halves = *found.at->halves;
    found.siblings.push_back(right ? halves.left.hash : halves.right.hash);
    found.at = right ? &halves.right : &halves.left;
  }
  std::ranges::reverse(found.siblings);
  return found;
}

/// The buckets in which a range lies.
state_range buckets_of(const state_range& range) {
  SOMA_ASSERT(is_range(range), "a range of buckets or one subtree of one");
  if (range.depth == bucket_depth) return range;
  const auto bucket = range.first >> (range.depth - bucket_depth);
  return {bucket_depth, bucket, bucket + 1};
}

}  // namespace

std::vector<state_range> tree::ranges(std::uint64_t most_bytes) const {
  std::vector<state_range> all;
  std::uint64_t first = 0, held_bytes = 0;
  const auto close = [&](std::uint64_t end) {
    if (first < end) all.push_back({bucket_depth, first, end});
    first = end;
    held_bytes = 0;
  };
  for (std::uint64_t i = 0; i < buckets; ++i) {
    const std::uint64_t bytes = buckets_[i].totals.bytes;
    if (held_bytes + bytes > most_bytes) close(i);
    if (bytes > most_bytes) {
      split(buckets_[i], bucket_depth, i, most_bytes, all);
      first = i + 1;
    } else {
      held_bytes += bytes;
    }
  }
  close(buckets);
  return all;
}

state_totals tree::totals_of(const state_range& range) const {
  const auto within = buckets_of(range);
  state_totals sum;
  if (range.depth > bucket_depth) return way_to(buckets_[within.first], range).at->totals;
  for (auto i = within.first; i < within.end; ++i) {
    sum.rows += buckets_[i].totals.rows;
    sum.bytes += buckets_[i].totals.bytes;
  }
  return sum;
}

std::vector<hash256> tree::siblings_of(const state_range& range) const {
  const auto within = buckets_of(range);
  auto all = range.depth > bucket_depth ? way_to(buckets_[within.first], range).siblings
                                        : std::vector<hash256>{};
  auto first = buckets + within.first, end = buckets + within.end;
  for (; first > 1; first /= 2, end /= 2) {
    if (first % 2 == 1) all.push_back(node(--first));
    if (end % 2 == 1) all.push_back(node(end++));
  }
  return all;
}

}  // namespace soma::state_tree
