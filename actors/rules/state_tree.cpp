#include "actors/rules/state_tree.hpp"

#include "messages/crypto/hash.hpp"

namespace soma::rules {
namespace {

hash256 bucket_hash(const std::map<hash256, hash256>& pairs) {
  crypto::tagged_hash h("soma.bucket");
  for (const auto& [key, value] : pairs) h.add(key).add(value);
  return h.finish();
}

hash256 node_hash(const hash256& left, const hash256& right) {
  return crypto::tagged_hash("soma.node").add(left).add(right).finish();
}

std::size_t bucket_of(const hash256& key) {
  return static_cast<std::size_t>(key.value[0]) << 8 | key.value[1];
}

}  // namespace

state_tree::state_tree() : buckets_(buckets), nodes_(2 * buckets) {
  hash256 level = bucket_hash({});  // without rows all nodes of a level are equal
  for (std::size_t width = buckets; width >= 1; width /= 2) {
    std::fill(nodes_.begin() + static_cast<std::ptrdiff_t>(width),
              nodes_.begin() + static_cast<std::ptrdiff_t>(2 * width), level);
    level = node_hash(level, level);
  }
}

state_root state_tree::root() const {
  return nodes_[1].as<state_tag>();
}

state_tree::update state_tree::compute(std::span<const row_change> changes) const {
  update next;
  for (const auto& change : changes) {
    const hash256 key = crypto::hash("soma.row-key", change.key);
    const std::size_t index = bucket_of(key);
    auto& bucket = next.buckets.try_emplace(index, buckets_[index]).first->second;
    if (change.value) {
      bucket[key] = crypto::hash("soma.row", *change.value);
    } else {
      bucket.erase(key);
    }
  }
  std::map<std::size_t, hash256> level;
  for (const auto& [index, bucket] : next.buckets) level[buckets + index] = bucket_hash(bucket);
  while (!level.empty()) {
    std::map<std::size_t, hash256> above;
    for (const auto& [position, hash] : level) {
      next.nodes[position] = hash;
      if (position == 1) continue;
      const std::size_t sibling = position ^ 1;
      const auto changed = level.find(sibling);
      const hash256& other = changed != level.end() ? changed->second : nodes_[sibling];
      if (changed != level.end() && sibling < position) continue;  // the pair is done
      above[position / 2] = position % 2 == 0 ? node_hash(hash, other) : node_hash(other, hash);
    }
    level = std::move(above);
  }
  return next;
}

state_root state_tree::preview(std::span<const row_change> changes) const {
  const auto next = compute(changes);
  const auto root = next.nodes.find(1);
  return (root != next.nodes.end() ? root->second : nodes_[1]).as<state_tag>();
}

state_root state_tree::apply(std::span<const row_change> changes) {
  auto next = compute(changes);
  for (auto& [index, bucket] : next.buckets) {
    rows_ = rows_ - buckets_[index].size() + bucket.size();
    buckets_[index] = std::move(bucket);
  }
  for (const auto& [position, hash] : next.nodes) nodes_[position] = hash;
  return root();
}

}  // namespace soma::rules
