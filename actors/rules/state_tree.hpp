// The state root: a binary Merkle tree over 65,536 buckets. A row lies in the bucket named by the
// first 16 bits of the hash of its key; a bucket's hash covers its (key hash, value hash) pairs in
// order of key hash. So the root depends on the rows alone, not on when or in which order they
// came, and a block costs what it changes.
//
//   key hash   H("soma.row-key", key)            value hash  H("soma.row", value)
//   bucket     H("soma.bucket", pairs)           node        H("soma.node", left || right)
//
// Kept in memory (4 MiB of nodes, 64 bytes a row), rebuilt from a scan of the rows at start.
#pragma once

#include <map>
#include <span>

#include "messages/types/ledger_rows.hpp"

namespace soma::rules {

class state_tree {
 public:
  static constexpr std::size_t buckets = 65'536;

  state_tree();  // of a ledger without rows
  [[nodiscard]] state_root root() const;
  [[nodiscard]] std::size_t rows() const { return rows_; }

  /// The root as it would be after these changes.
  [[nodiscard]] state_root preview(std::span<const row_change> changes) const;
  /// Takes the changes in and returns the new root. A row that goes without having been there is no
  /// error. Of several changes of one row the last holds.
  state_root apply(std::span<const row_change> changes);

 private:
  using pairs = std::map<hash256, hash256>;
  struct update {
    std::map<std::size_t, pairs> buckets;
    std::map<std::size_t, hash256>
        nodes;  // by position: 1 is the root, children of i are 2i and 2i + 1
  };
  [[nodiscard]] update compute(std::span<const row_change> changes) const;

  std::vector<pairs> buckets_;
  std::vector<hash256> nodes_;
  std::size_t rows_ = 0;
};

}  // namespace soma::rules
