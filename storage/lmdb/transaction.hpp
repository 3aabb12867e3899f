// Transactions over an environment. What must hold:
//  - Views (byte_view) into the map die with their transaction, and with the next write of the same
//    transaction.
//  - A write transaction that is not committed undoes itself. There is one at a time; it begins, is
//    used and ends on one thread.
//  - A read transaction sees one state, whatever is committed meanwhile. It pins that state's
//    pages, so it should live for less than a second. It may move between threads, but one thread
//    at a time uses it.
//  - A checksum follows every value on disk and is verified on every read. A record whose checksum
//    does not fit is a failure `corrupt_record` that names table and key. The checksum is the
//    CRC32C (u32, little endian) of:
//      table name | one zero byte | length of the key (u16) | key | value
#pragma once

#include <memory>
#include <optional>

#include "messages/values/bytes.hpp"
#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/failure.hpp"

namespace soma::lmdb {

inline constexpr std::size_t max_key_bytes = 511;

class read_txn {
 public:
  explicit read_txn(const environment& env);
  ~read_txn();
  read_txn(read_txn&&) noexcept;
  read_txn& operator=(read_txn&&) = delete;

  [[nodiscard]] std::optional<byte_view> find(database table, byte_view key) const;
  /// The number of records in a table. LMDB keeps it in the table's root; with a journal, each
  /// change that is not in the table yet costs a search.
  [[nodiscard]] std::uint64_t count(database table) const;

 protected:
  friend class cursor;
  friend class environment;
  struct state;
  explicit read_txn(std::unique_ptr<state> begun);
  std::unique_ptr<state> state_;
};

/// Where a write transaction writes, if its environment has a journal.
enum class write_target : std::uint8_t {
  journal,
  // The tables, after everything that the journal holds. It is for filling them with more than
  // memory should hold.
  tables,
};

/// A write transaction also reads what it has written so far.
class write_txn : public read_txn {
 public:
  /// Waits until another writer has ended. Throws storage_full or write_stopped when writing has
  /// been stopped.
  explicit write_txn(environment& env, write_target into = write_target::journal);
  write_txn(write_txn&&) = delete;

  /// Inserts or replaces. Keys have 1..max_key_bytes bytes.
  void put(database table, byte_view key, byte_view value);
  /// Inserts behind all other records; asserts that the key is larger than theirs. It fills pages
  /// completely and does not search for the place.
  void append(database table, byte_view key, byte_view value);
  /// Returns whether there was such a record.
  bool erase(database table, byte_view key);
  /// When it returns, everything written is durable. It ends the transaction.
  void commit();
};

/// A position in a table, in the bytewise order of keys. It dies with its transaction. It sees
/// what the transaction had written when the cursor was opened.
class cursor {
 public:
  cursor(const read_txn& txn, database table);
  ~cursor();
  cursor(const cursor&) = delete;
  cursor& operator=(const cursor&) = delete;

  /// Each of these moves to a record and returns whether there is one.
  bool first();
  bool last();
  bool at_least(byte_view key);
  bool next();
  bool previous();

  /// Valid only after a step that returned true.
  [[nodiscard]] byte_view key() const { return key_; }
  [[nodiscard]] byte_view value() const { return value_; }

 private:
  bool forward_from(byte_view key, bool includes_key);
  bool backward_from(std::optional<byte_view> key);

  struct state;
  std::unique_ptr<state> state_;
  byte_view key_;
  byte_view value_;
};

/// Calls visit(key, value) -> bool for each record whose key begins with `prefix`, in order of
/// keys, until visit returns false.
template <class Visit>
void scan_prefix(const read_txn& txn, database table, byte_view prefix, Visit&& visit) {
  cursor at(txn, table);
  for (bool there = prefix.empty() ? at.first() : at.at_least(prefix); there; there = at.next()) {
    const byte_view key = at.key();
    if (key.size() < prefix.size()) return;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
      if (key[i] != prefix[i]) return;
    }
    if (!visit(key, at.value())) return;
  }
}

}  // namespace soma::lmdb
