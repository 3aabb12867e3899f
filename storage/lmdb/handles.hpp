// Private to storage/lmdb: the raw handles behind the public classes, and the way from LMDB's error
// numbers to names.
#pragma once

#include <lmdb.h>
#include <sys/types.h>

#include <atomic>
#include <map>
#include <string>
#include <utility>

#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::lmdb {

inline MDB_val as_value(byte_view data) {
  return {data.size(), const_cast<std::uint8_t*>(data.data())};  // LMDB does not write through it
}

enum class write_state : int { going, full, failed };

struct environment::state {
  std::filesystem::path directory;
  std::pair<dev_t, ino_t> identity{};
  bool registered = false;
  bool read_only = false;
  MDB_env* env = nullptr;
  pid_t owner = 0;
  std::map<std::string, unsigned, std::less<>> tables;
  std::atomic<write_state> writing{write_state::going};
  put_watcher watcher;

  ~state();
  void claim_directory();
  void open_files(const environment_options& options);
};

struct read_txn::state {
  MDB_txn* txn = nullptr;
  // What the transaction needs of its environment. Null for a read transaction.
  std::atomic<write_state>* writing = nullptr;
  const put_watcher* watcher = nullptr;
  int fd = -1;  // the data file's

  /// Throws unless `error` is 0; a failure also stops writing.
  void check_write(int error, const char* doing);

  ~state() {
    if (txn != nullptr) mdb_txn_abort(txn);
  }
};

[[nodiscard]] failure_code code_of(int error);
/// LMDB's text of the error, without the error's symbol before it.
[[nodiscard]] std::string text_of(int error);
/// Throws unless `error` is 0.
void check(int error, const char* doing);
/// Writes the value and its checksum and returns LMDB's error number. MDB_RESERVE is added to
/// `flags`, which are otherwise those of mdb_put.
[[nodiscard]] int put_record(MDB_txn* txn, database table, byte_view key, byte_view value,
                             unsigned flags = 0);

}  // namespace soma::lmdb
