// The state tree of a ledger (what its root is: state_hashes.hpp), kept in memory and rebuilt from
// a scan of the rows at start. What must hold:
//   - The root depends on the rows alone, not on when, in which steps or in which order they came.
//   - A block costs what it changes: a changed row the hash of its leaf and one of each level above
//     it, whatever else lies in its bucket.
//   - prepare is const and pure: a block can be executed, agreed on and dropped without the tree
//     knowing; apply puts in place what prepare has computed. Blocks can be prepared on each other
//     before any of them is applied.
// Memory: 7 MiB, 68 bytes a row and 32 a leaf. A copy shares the rows with its original. Any thread
// may read while no thread applies.
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

/// A leaf or a branch. What it points to is never altered, so copies share it.
struct subtree {
  hash256 hash;
  state_totals totals;
  std::shared_ptr<const tree_row[]> leaf;        // rows ascending by key; none of a branch
  std::shared_ptr<const detail::halves> halves;  // none of a leaf

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

  /// What a set of changes makes of the tree they were prepared on.
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
    // By position, buckets too: level by level from the lowest, ascending in each.
    std::vector<std::pair<std::uint32_t, hash256>> nodes_;
  };
  /// What was prepared on this tree and then on each other, oldest first, and not applied yet.
  using chain = std::span<const prepared* const>;

  /// Rows as a scan brings them, each once; about a second for a million.
  class builder {
   public:
    builder() : buckets_(buckets) {}
    void add(byte_view key, byte_view value);
    [[nodiscard]] tree finish() &&;

   private:
    std::vector<std::vector<detail::tree_row>> buckets_;
  };

  tree();  // of a ledger without rows
  [[nodiscard]] const state_root& root() const { return root_; }
  [[nodiscard]] const state_totals& totals() const { return totals_; }
  [[nodiscard]] std::size_t rows() const { return totals_.rows; }

  /// The tree as it would be after these changes. A row that goes without having been there is no
  /// error. Of several changes of one row the last holds.
  [[nodiscard]] prepared prepare(std::span<const row_change> changes) const {
    return prepare(changes, {});
  }
  /// The same on top of `below`, of which each link stands on the one before it (asserted). Costs
  /// what these changes cost, and a search in each link for every node that is looked at.
  [[nodiscard]] prepared prepare(std::span<const row_change> changes, chain below) const;
  /// Takes in what was prepared on this very state (asserted) and returns the new root.
  state_root apply(prepared&& next);
  state_root apply(std::span<const row_change> changes) { return apply(prepare(changes)); }

  /// The leaf where a row with this key hash lies or would lie, and what a proof of it needs.
  struct place {
    std::vector<state_pair> leaf;
    std::vector<hash256> siblings;  // from the leaf to the top
  };
  [[nodiscard]] place find(const hash256& key) const;

  /// The whole ledger as ranges in order, each of rows with at most `most_bytes` together, or one
  /// leaf that has more.
  [[nodiscard]] std::vector<state_range> ranges(std::uint64_t most_bytes) const;
  [[nodiscard]] state_totals totals_of(const state_range& range) const;
  /// The siblings on the way of a range that ranges() named, or of any range of buckets, to the
  /// top: level by level, the left one first.
  [[nodiscard]] std::vector<hash256> siblings_of(const state_range& range) const;

 private:
  /// By position: 1 is the top, below i are 2i and 2i + 1, the last 65,536 are the buckets.
  [[nodiscard]] const hash256& node(std::size_t position) const {
    return position < buckets ? nodes_[position] : buckets_[position - buckets].hash;
  }
  /// As they stand after `below`.
  [[nodiscard]] const hash256& node(std::uint32_t position, chain below) const;
  [[nodiscard]] const detail::subtree& bucket(std::uint32_t index, chain below) const;

  std::vector<detail::subtree> buckets_;
  std::vector<hash256> nodes_;  // above the buckets
  state_totals totals_;
  state_root root_;
};

}  // namespace soma::state_tree
