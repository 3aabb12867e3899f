#include "actors/state_tree/state_tree.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "messages/values/assert.hpp"

namespace soma::state_tree {

using detail::subtree;
using detail::tree_row;

namespace {

/// The change of one row. If the row is removed, only the key counts.
struct key_change {
  tree_row row;
  bool goes = false;
};
using key_changes = std::span<const key_change>;

std::uint32_t row_size(byte_view key, byte_view value) {
  SOMA_ASSERT(key.size() + value.size() <= std::numeric_limits<std::uint32_t>::max(),
              "a row of less than 4 GiB");
  return static_cast<std::uint32_t>(key.size() + value.size());
}

state_totals operator+(const state_totals& a, const state_totals& b) {
  return {a.rows + b.rows, a.bytes + b.bytes};
}
state_totals operator-(const state_totals& a, const state_totals& b) {
  return {a.rows - b.rows, a.bytes - b.bytes};
}

/// The leaf of `rows` followed by `more`.
subtree leaf_of(std::span<const tree_row> rows, std::span<const tree_row> more = {}) {
  const auto count = rows.size() + more.size();
  if (count == 0) return {empty_leaf_hash(), {}, nullptr, nullptr};
  auto own = std::make_shared_for_overwrite<tree_row[]>(count);
  std::ranges::copy(more, std::ranges::copy(rows, own.get()).out);
  subtree made{
      leaf_hash(std::span<const tree_row>(own.get(), count)), {count, 0}, nullptr, nullptr};
  for (std::size_t i = 0; i < count; ++i) made.totals.bytes += own[i].size_bytes;
  made.leaf = std::move(own);
  return made;
}

subtree branch_of(subtree left, subtree right) {
  return {
      branch_hash(left.hash, right.hash), left.totals + right.totals, nullptr,
      std::make_shared<const detail::halves>(detail::halves{std::move(left), std::move(right)})};
}

/// The index of the first row, or change, whose key lies to the right at `depth`.
template <class Element, class Key>
std::size_t middle_of(std::span<const Element> sorted, unsigned depth, Key&& key) {
  SOMA_ASSERT(depth < max_state_depth, "no two rows have one key");
  return static_cast<std::size_t>(
      std::ranges::partition_point(sorted,
                                   [&](const Element& e) { return !lies_right(key(e), depth); }) -
      sorted.begin());
}

/// The subtree of these rows, which ascend.
subtree tree_of(std::span<const tree_row> rows, unsigned depth) {
  if (rows.size() <= max_leaf_rows) return leaf_of(rows);
  const auto middle = middle_of(
      rows, depth, [](const tree_row& r) -> auto& { return r.key; });
  return branch_of(tree_of(rows.first(middle), depth + 1),
                   tree_of(rows.subspan(middle), depth + 1));
}

void merge(std::span<const tree_row> rows, key_changes changes, std::vector<tree_row>& all) {
  all.clear();
  all.reserve(rows.size() + changes.size());
  auto row = rows.begin();
  for (const auto& change : changes) {
    const auto at = std::ranges::lower_bound(row, rows.end(), change.row.key, {}, &tree_row::key);
    all.insert(all.end(), row, at);
    row = at;
    if (row != rows.end() && row->key == change.row.key) ++row;
    if (!change.goes) all.push_back(change.row);
  }
  all.insert(all.end(), row, rows.end());
}

/// The subtree after these changes, which ascend. Only the parts on their way are made anew.
/// `scratch` is memory that the function uses inside.
subtree changed(const subtree& tree, key_changes changes, unsigned depth,
                std::vector<tree_row>& scratch) {
  if (changes.empty()) return tree;
  if (tree.is_leaf()) {
    merge(tree.rows(), changes, scratch);
    return tree_of(scratch, depth);
  }
  const auto middle = middle_of(
      changes, depth, [](const key_change& c) -> auto& { return c.row.key; });
  auto left = changed(tree.halves->left, changes.first(middle), depth + 1, scratch);
  auto right = changed(tree.halves->right, changes.subspan(middle), depth + 1, scratch);
  if (left.totals.rows + right.totals.rows <= max_leaf_rows) {
    return leaf_of(left.rows(), right.rows());
  }
  return branch_of(std::move(left), std::move(right));
}

/// Fetches memory that is read soon. The rows that a block changes lie far apart, so without this
/// most of the block's time would be spent waiting for memory.
void fetch(const void* from, std::size_t size_bytes) {
  constexpr std::size_t line_bytes = 64;
  for (std::size_t at = 0; at < size_bytes; at += line_bytes) {
    __builtin_prefetch(static_cast<const std::uint8_t*>(from) + at);
  }
}

/// One change for each row that changes, ascending by key hash.
std::vector<key_change> by_key(std::span<const row_change> changes) {
  struct keyed {
    std::uint64_t first_bits;  // cheap to compare, and different for almost all keys
    std::size_t at;
    hash256 key;
  };
  std::vector<keyed> order;
  order.reserve(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto key = key_hash(changes[i].key);
    order.push_back({prefix_of(key, 64), i, key});
  }
  std::ranges::sort(order, [](const keyed& a, const keyed& b) {
    if (a.first_bits != b.first_bits) return a.first_bits < b.first_bits;
    return a.key != b.key ? a.key < b.key : a.at < b.at;
  });
  std::vector<key_change> all;
  all.reserve(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    // Of several changes of one row the last one holds.
    if (i + 1 < order.size() && order[i + 1].key == order[i].key) continue;
    const auto& change = changes[order[i].at];
    key_change next{{order[i].key, {}, 0}, !change.value};
    if (change.value) {
      next.row.value = value_hash(*change.value);
      next.row.size_bytes = row_size(change.key, *change.value);
    }
    all.push_back(next);
  }
  return all;
}

/// The changes [begin, end) fall into this bucket.
struct touched_bucket {
  std::uint32_t index;
  std::size_t begin, end;
};
std::vector<touched_bucket> by_bucket(key_changes sorted) {
  std::vector<touched_bucket> all;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(prefix_of(sorted[i].row.key, bucket_depth));
    if (all.empty() || all.back().index != index) all.push_back({index, i, i});
    all.back().end = i + 1;
  }
  return all;
}

}  // namespace

tree::tree() : buckets_(buckets, leaf_of({})), nodes_(buckets) {
  hash256 level = empty_leaf_hash();  // without rows all nodes of a level are equal
  for (std::size_t width = buckets / 2; width >= 1; width /= 2) {
    level = branch_hash(level, level);
    std::fill_n(nodes_.begin() + static_cast<std::ptrdiff_t>(width), width, level);
  }
  root_ = root_of(nodes_[1], totals_);
}

void tree::builder::add(byte_view key, byte_view value) {
  const auto hash = key_hash(key);
  buckets_[prefix_of(hash, bucket_depth)].push_back(
      {hash, value_hash(value), row_size(key, value)});
}

tree tree::builder::finish() && {
  tree made;
  for (std::size_t i = 0; i < buckets; ++i) {
    auto& rows = buckets_[i];
    if (rows.empty()) continue;
    std::ranges::sort(rows, {}, &tree_row::key);
    SOMA_ASSERT(std::ranges::adjacent_find(rows, {}, &tree_row::key) == rows.end(),
                "a scan shows each row once");
    made.buckets_[i] = tree_of(rows, bucket_depth);
    made.totals_ = made.totals_ + made.buckets_[i].totals;
    std::vector<tree_row>().swap(rows);  // freed at once, so that the rows are not held twice
  }
  for (std::size_t i = buckets - 1; i >= 1; --i) {
    made.nodes_[i] = branch_hash(made.node(2 * i), made.node(2 * i + 1));
  }
  made.root_ = root_of(made.nodes_[1], made.totals_);
  return made;
}

const subtree* tree::prepared::bucket(std::uint32_t index) const {
  const auto at =
      std::ranges::lower_bound(buckets_, index, {}, [](const auto& b) { return b.first; });
  return at != buckets_.end() && at->first == index ? &at->second : nullptr;
}

const hash256* tree::prepared::node(std::uint32_t position) const {
  const auto comes_before = [](std::uint32_t a, std::uint32_t b) {
    const auto level_of_a = std::bit_width(a), level_of_b = std::bit_width(b);
    return level_of_a != level_of_b ? level_of_a > level_of_b : a < b;
  };
  const auto at = std::ranges::lower_bound(nodes_, position, comes_before,
                                           [](const auto& n) { return n.first; });
  return at != nodes_.end() && at->first == position ? &at->second : nullptr;
}

const subtree& tree::bucket(std::uint32_t index, chain below) const {
  for (; !below.empty(); below = below.first(below.size() - 1)) {
    if (const auto* changed_there = below.back()->bucket(index)) return *changed_there;
  }
  return buckets_[index];
}

const hash256& tree::node(std::uint32_t position, chain below) const {
  for (; !below.empty(); below = below.first(below.size() - 1)) {
    if (const auto* changed_there = below.back()->node(position)) return *changed_there;
  }
  return node(position);
}

tree::prepared tree::prepare(std::span<const row_change> changes, chain below) const {
  prepared next;
  next.before_ = root_;
  next.totals = totals_;
  for (const auto* link : below) {
    SOMA_ASSERT(link->before_ == next.before_, "each link was prepared on the one before it");
    next.before_ = link->root;
    next.totals = link->totals;
  }
  const auto sorted = by_key(changes);
  const auto touched = by_bucket(sorted);
  std::vector<tree_row> scratch;
  next.buckets_.reserve(touched.size());
  next.nodes_.reserve(8 * touched.size());
  for (std::size_t i = 0; i < touched.size(); ++i) {
    if (i + 16 < touched.size()) fetch(&buckets_[touched[i + 16].index], sizeof(subtree));
    if (i + 8 < touched.size()) {
      const auto rows = buckets_[touched[i + 8].index].rows();
      fetch(rows.data(), rows.size_bytes());
    }
    const auto& [index, from, to] = touched[i];
    const auto& before = bucket(index, below);
    auto after =
        changed(before, key_changes(sorted).subspan(from, to - from), bucket_depth, scratch);
    next.totals = next.totals - before.totals + after.totals;
    next.nodes_.emplace_back(buckets + index, after.hash);
    next.buckets_.emplace_back(index, std::move(after));
  }
  // Goes level by level: [begin, end) of nodes_ is the level below, ascending by position.
  for (std::size_t begin = 0, end = next.nodes_.size();
       begin < end && next.nodes_[begin].first > 1;) {
    for (std::size_t i = begin; i < end; ++i) {
      if (i + 16 < end) fetch(&node(next.nodes_[i + 16].first ^ 1), sizeof(hash256));
      const auto [position, hash] = next.nodes_[i];
      const bool has_pair = i + 1 < end && next.nodes_[i + 1].first == (position ^ 1);
      const auto& other = has_pair ? next.nodes_[++i].second : node(position ^ 1, below);
      next.nodes_.emplace_back(
          position / 2, position % 2 == 0 ? branch_hash(hash, other) : branch_hash(other, hash));
    }
    begin = end;
    end = next.nodes_.size();
  }
  const auto& top = next.nodes_.empty() ? node(1, below) : next.nodes_.back().second;
  next.root = root_of(top, next.totals);
  return next;
}

state_root tree::apply(prepared&& next) {
  SOMA_ASSERT(next.before_ == root_, "changes are applied to the state they were prepared on");
  for (auto& [index, bucket] : next.buckets_) buckets_[index] = std::move(bucket);
  for (const auto& [position, hash] : next.nodes_) {
    if (position < buckets) nodes_[position] = hash;
  }
  totals_ = next.totals;
  root_ = next.root;
  return root_;
}

tree::place tree::find(const hash256& key) const {
  place found;
  const auto* at = &buckets_[prefix_of(key, bucket_depth)];
  for (unsigned depth = bucket_depth; !at->is_leaf(); ++depth) {
    const bool right = lies_right(key, depth);
    found.siblings.push_back(right ? at->halves->left.hash : at->halves->right.hash);
    at = right ? &at->halves->right : &at->halves->left;
  }
  std::ranges::reverse(found.siblings);
  for (const auto& row : at->rows()) found.leaf.push_back({row.key, row.value});
  for (std::size_t i = buckets + prefix_of(key, bucket_depth); i > 1; i /= 2) {
    found.siblings.push_back(node(i ^ 1));
  }
  return found;
}

}  // namespace soma::state_tree
