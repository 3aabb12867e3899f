// Private to storage/lmdb: changes of records that are durable in a journal and not yet in the
// tables. What must hold:
//   - A run never changes once it is made, so any thread may read it.
//   - It has at most one change for a table and key, and its changes ascend by table and then by
//     key, in the order in which LMDB sorts keys.
//
// A batch is the changes of one transaction as bytes, in the order in which they were made, one
// after the other, with numbers in little endian:
//   table u8 | erased u8, 1 or 0 | size of the key u16 | size of the value u32 | key | value
// The number of a table is its place in the list with which the environment was opened.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "messages/values/bytes.hpp"

namespace soma::lmdb {

/// The last change of one record in a batch or in several.
struct change {
  // Table and the first 15 bytes of the key, as numbers: they decide most orders without a look at
  // the key, which lies elsewhere in the memory.
  std::uint64_t prefix = 0;
  std::uint64_t prefix_more = 0;
  const std::uint8_t* key_data = nullptr;
  const std::uint8_t* value_data = nullptr;
  std::uint32_t value_size = 0;
  std::uint32_t hash = 0;
  std::uint16_t key_size = 0;
  std::uint8_t table = 0;
  bool erased = false;

  [[nodiscard]] byte_view key() const { return {key_data, key_size}; }
  [[nodiscard]] byte_view value() const { return {value_data, value_size}; }
};

[[nodiscard]] std::uint32_t hash_of(std::uint8_t table, byte_view key);
/// Less than, equal to or greater than 0, as `a` comes before, is, or comes behind `b`.
[[nodiscard]] int compare_keys(byte_view a, byte_view b);

class sorted_run {
 public:
  using pointer = std::shared_ptr<const sorted_run>;

  /// Null if these bytes are no batch for so many tables.
  [[nodiscard]] static pointer of_batch(bytes batch, std::size_t tables);
  /// What remains of a run and of those that it hides, of which the first is the latest.
  [[nodiscard]] static pointer merged(pointer latest, std::span<const pointer> below);

  /// The change of a record; null if there is none. `hash` is hash_of the same.
  [[nodiscard]] const change* find(std::uint8_t table, byte_view key, std::uint32_t hash) const;
  /// The index of the first change that is not before this record.
  [[nodiscard]] std::size_t first_from(std::uint8_t table, byte_view key) const;
  [[nodiscard]] std::span<const change> changes() const { return changes_; }
  /// The bytes of all batches from which it was made.
  [[nodiscard]] std::size_t batch_bytes() const { return batch_bytes_; }

 private:
  /// A run that has no index yet.
  [[nodiscard]] static std::shared_ptr<sorted_run> merged_two(const sorted_run& later,
                                                              const sorted_run& earlier);
  void make_index();

  std::vector<change> changes_;
  std::vector<std::uint32_t> index_;  // by hash: the place in changes_, plus 1; 0 is free
  std::vector<std::shared_ptr<const bytes>> batches_;
  std::size_t batch_bytes_ = 0;
};

/// Runs, the latest first, of which a later one hides what an earlier one says.
class run_list {
 public:
  /// Puts a run on top. Runs that are not much larger than what lies on them are merged with it, so
  /// that a list has few runs, however many were put.
  void push(sorted_run::pointer latest);
  [[nodiscard]] const change* find(std::uint8_t table, byte_view key) const;
  [[nodiscard]] std::span<const sorted_run::pointer> runs() const { return runs_; }
  [[nodiscard]] bool empty() const { return runs_.empty(); }
  [[nodiscard]] std::size_t batch_bytes() const;
  /// All of it as one run; null if it is empty.
  [[nodiscard]] sorted_run::pointer as_one() const;
  /// This list with another one below it.
  [[nodiscard]] run_list above(const run_list& earlier) const;

 private:
  std::vector<sorted_run::pointer> runs_;
};

/// The changes of one transaction while it is written.
class batch_builder {
 public:
  void put(std::uint8_t table, byte_view key, byte_view value) { add(table, key, value, false); }
  void erase(std::uint8_t table, byte_view key) { add(table, key, {}, true); }
  /// What the transaction has done last to a record; the views die with its next change.
  [[nodiscard]] std::optional<change> find(std::uint8_t table, byte_view key) const;
  /// What it has done to one table so far; null if nothing.
  [[nodiscard]] sorted_run::pointer run_of(std::uint8_t table) const;
  [[nodiscard]] const bytes& batch() const { return batch_; }
  [[nodiscard]] bytes take() { return std::move(batch_); }

 private:
  void add(std::uint8_t table, byte_view key, byte_view value, bool erased);
  void grow_index();

  struct place {
    std::uint32_t hash = 0;
    std::uint32_t offset_plus_1 = 0;  // of the change in the batch; 0 is free
  };
  bytes batch_;
  std::vector<place> index_;
  std::size_t used_ = 0;
};

}  // namespace soma::lmdb
