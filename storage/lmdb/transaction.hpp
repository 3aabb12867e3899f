// Transactions over an environment. What must hold:
//  - Views (byte_view) into the map die with their transaction, and with the next write of the same
//  transaction.
//  - A write transaction that is not committed undoes itself. One at a time; begun, used and ended
//  on one thread.
//  - A read transaction sees one state, whatever is committed meanwhile; it pins that state's
//  pages, so it lives for less
//    than a second. It may move between threads, but is used by one at a time.
//  - Every value is followed on disk by the CRC32C (u32, little endian) of table name, 0, key
//  length (u16), key, value;
//    it is checked on every read. A record that does not fit is a failure `corrupt_record` naming
//    table and key.
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
  /// Records in a table; read from its root, not counted.
  [[nodiscard]] std::uint64_t count(database table) const;

 protected:
  friend class cursor;
  friend class environment;
  struct state;
  explicit read_txn(std::unique_ptr<state> begun);
  std::unique_ptr<state> state_;
};

/// Also reads what it has written so far.
class write_txn : public read_txn {
 public:
  /// Waits for another writer to end. Throws storage_full or write_stopped when writing has been
  /// stopped.
  explicit write_txn(environment& env);
  write_txn(write_txn&&) = delete;

  /// Inserts or replaces. Keys have 1..max_key_bytes bytes.
  void put(database table, byte_view key, byte_view value);
  /// Inserts behind all other records; asserts that the key is larger than theirs. Fills pages
  /// whole and searches nothing.
  void append(database table, byte_view key, byte_view value);
  /// Whether there was such a record.
  bool erase(database table, byte_view key);
  /// When it returns, everything written is durable. Ends the transaction.
  void commit();
};

/// A position in a table, in the bytewise order of keys. Dies with its transaction.
class cursor {
 public:
  cursor(const read_txn& txn, database table);
  ~cursor();
  cursor(const cursor&) = delete;
  cursor& operator=(const cursor&) = delete;

  /// Each goes to a record and says whether there is one.
  bool first();
  bool last();
  bool at_least(byte_view key);
  bool next();
  bool previous();

  /// Only after a step that said yes.
  [[nodiscard]] byte_view key() const { return key_; }
  [[nodiscard]] byte_view value() const { return value_; }

 private:
  bool move(int operation, byte_view key);

  struct state;
  std::unique_ptr<state> state_;
  byte_view key_;
  byte_view value_;
};

/// Calls visit(key, value) -> bool for each record whose key begins with `prefix`, in order, while
/// it says true.
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
