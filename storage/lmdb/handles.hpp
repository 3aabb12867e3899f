// Private to storage/lmdb: the raw handles behind the public classes, and the way from LMDB's error
// numbers to names.
#pragma once

#include <lmdb.h>
#include <sys/types.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/sorted_run.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::lmdb {

inline byte_view as_view(const MDB_val& value) {
  return {static_cast<const std::uint8_t*>(value.mv_data), value.mv_size};
}
inline MDB_val as_value(byte_view data) {
  return {data.size(), const_cast<std::uint8_t*>(data.data())};  // LMDB does not write through it
}

class write_behind;

enum class write_state : int { going, full, failed };

/// Throws unless `error`, of a write to the data file `fd`, is 0. A failure also stops writing.
void check_write(int error, const char* doing, std::atomic<write_state>& writing, int fd);

/// A transaction of LMDB that undoes itself unless it is committed.
struct raw_txn {
  MDB_txn* txn = nullptr;
  ~raw_txn() {
    if (txn != nullptr) mdb_txn_abort(txn);
  }
};

struct environment::state {
  std::filesystem::path directory;
  std::pair<dev_t, ino_t> identity{};
  bool registered = false;
  bool read_only = false;
  MDB_env* env = nullptr;
  pid_t owner = 0;
  std::map<std::string, std::uint8_t, std::less<>> tables;  // to the place in `numbered`
  std::vector<database> numbered;                           // "meta" is the last
  std::atomic<write_state> writing{write_state::going};
  put_watcher watcher;
  std::unique_ptr<write_behind> behind;  // null without a journal

  state();
  ~state();
  void claim_directory();
  void open_files(const environment_options& options);
};

struct read_txn::state {
  MDB_txn* txn = nullptr;
  // With a journal, what was committed and is not in the tables; else null.
  std::shared_ptr<const run_list> above;
  // What the transaction needs of its environment. Null for a read transaction.
  std::atomic<write_state>* writing = nullptr;
  const put_watcher* watcher = nullptr;
  int fd = -1;  // the data file's
  // Of a write transaction that goes into the journal. Its `txn` only reads.
  write_behind* behind = nullptr;
  std::unique_lock<std::mutex> writer;
  batch_builder written;
  std::map<std::uint8_t, bytes> last_keys;  // of the tables to which it appends

  void check_write(int error, const char* doing) { lmdb::check_write(error, doing, *writing, fd); }

  ~state() {
    if (txn != nullptr) mdb_txn_abort(txn);
  }
};

[[nodiscard]] failure_code code_of(int error);
/// LMDB's text of the error, without the error's symbol before it.
[[nodiscard]] std::string text_of(int error);
/// Throws unless `error` is 0.
void check(int error, const char* doing);
/// The value of a record in the tables. Throws failure.
[[nodiscard]] std::optional<byte_view> find_record(MDB_txn* txn, database table, byte_view key);
/// The value of a record as it lies on disk. Throws corrupt_record.
[[nodiscard]] byte_view verified(database table, byte_view key, byte_view stored);
/// Writes the value and its checksum and returns LMDB's error number. MDB_RESERVE is added to
/// `flags`, which are otherwise those of mdb_put.
[[nodiscard]] int put_record(MDB_txn* txn, database table, byte_view key, byte_view value,
                             unsigned flags = 0);

}  // namespace soma::lmdb
