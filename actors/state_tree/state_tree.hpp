// The state tree of a ledger (state_hashes.hpp defines its root), kept in memory and rebuilt from a
// scan of the rows at start. What must hold:
//   - The root depends on the rows alone, not on when, in which steps or in which order they came.
//   - A block costs time for what it changes: for each changed row the hash of its leaf and one
//     hash for each level above it, whatever else lies in its bucket.
//   - prepare is const and pure: a block can be executed, agreed on and dropped without any effect
//     on the tree. apply puts in place what prepare has computed. Blocks can be prepared on top of
//     each other before any of them is applied.
// Memory: 7 MiB, 68 bytes for each row and 32 for each leaf. A copy shares the rows with its
// original. Any thread may read while no thread applies.
#pragma once

#include <memory>
#include <span>

#include "actors/state_tree/state_hashes.hpp"

namespace soma::state_tree {

namespace detail {

struct tree_row {
  hash256 key;
  hash256 value;
  std::uint32_t size_bytes = 0;  // of key and value
};

struct halves;

/// A leaf or a branch. What it points to is never altered, so that copies can share it.
struct subtree {
  hash256 hash;
  state_totals totals;
  std::shared_ptr<const tree_row[]> leaf;        // rows ascending by key; null in a branch
  std::shared_ptr<const detail::halves> halves;  // null in a leaf

  [[nodiscard]] bool is_leaf() const { return halves == nullptr; }
  [[nodiscard]] std::span<const tree_row> rows() const {
    return {leaf.get(), leaf ? totals.rows : 0};
  }
};
struct halves {
  subtree left, right;
};

}  // namespace detail

class tree {
 public:
  static constexpr std::size_t buckets = bucket_count;

  /// The result of a set of changes on the tree for which they were prepared.
  class prepared {
   public:
    state_root root;
    state_totals totals;

   private:
    friend class tree;
    [[nodiscard]] const detail::subtree* bucket(std::uint32_t index) const;
    [[nodiscard]] const hash256* node(std::uint32_t position) const;
    state_root before_;
    std::vector<std::pair<std::uint32_t, detail::subtree>> buckets_;  // ascending
    // By position, also the nodes of buckets: level by level from the lowest, ascending in each
    // level.
    std::vector<std::pair<std::uint32_t, hash256>> nodes_;
  };
  /// What was prepared on this tree and on each other and is not applied yet, the oldest first.
  using chain = std::span<const prepared* const>;

  /// Builds a tree of rows in the order of a scan, each once. It takes about a second for a million
  /// rows.
  class builder {
   public:
    builder() : buckets_(buckets) {}
    void add(byte_view key, byte_view value);
    [[nodiscard]] tree finish() &&;

   private:
    std::vector<std::vector<detail::tree_row>> buckets_;
  };

  tree();  // the tree of a ledger without rows
  [[nodiscard]] const state_root& root() const { return root_; }
  [[nodiscard]] const state_totals& totals() const { return totals_; }
  [[nodiscard]] std::size_t rows() const { return totals_.rows; }

  /// The tree as it would be after these changes. Removing a row that is not there is no error. Of
  /// several changes of one row the last one holds.
  [[nodiscard]] prepared prepare(std::span<const row_change> changes) const {
    return prepare(changes, {});
  }
  /// The same on top of `below`, in which each element was prepared on the one before it
  /// (asserted). Costs what these changes cost, and a search in each element for every node that is
  /// read.
  [[nodiscard]] prepared prepare(std::span<const row_change> changes, chain below) const;
  /// Applies what was prepared on this very state (asserted) and returns the new root.
  state_root apply(prepared&& next);
  state_root apply(std::span<const row_change> changes) { return apply(prepare(changes)); }

  /// The leaf in which a row with this key hash lies or would lie, and the siblings that a proof
  /// needs.
  struct place {
    std::vector<state_pair> leaf;
    std::vector<hash256> siblings;  // from the leaf to the top
  };
  [[nodiscard]] place find(const hash256& key) const;

  /// The whole ledger as ranges in order. The rows of each range have at most `most_bytes`
  /// together, or the range is one leaf that has more.
  [[nodiscard]] std::vector<state_range> ranges(std::uint64_t most_bytes) const;
  [[nodiscard]] state_totals totals_of(const state_range& range) const;
  /// The siblings on the way of a range that ranges() named, or of any range of buckets, to the
  /// top: level by level, the left one first.
  [[nodiscard]] std::vector<hash256> siblings_of(const state_range& range) const;

 private:
  /// Nodes by position: 1 is the top, below i lie 2i and 2i + 1, the last 65,536 are the buckets.
  [[nodiscard]] const hash256& node(std::size_t position) const {
    return position < buckets ? nodes_[position] : buckets_[position - buckets].hash;
  }
  /// The nodes as they are after `below`.
  [[nodiscard]] const hash256& node(std::uint32_t position, chain below) const;
  [[nodiscard]] const detail::subtree& bucket(std::uint32_t index, chain below) const;

  std::vector<detail::subtree> buckets_;
  std::vector<hash256> nodes_;  // above the buckets
  state_totals totals_;
  state_root root_;
};

}  // namespace soma::state_tree
