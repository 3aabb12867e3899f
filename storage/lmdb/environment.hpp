// One LMDB directory, opened once. What must hold:
//  - The map is sized once, large and sparse; it is never resized while the environment is open.
//  - Default sync flags: when a commit returns, its bytes are on the disk. Relaxed only where a
//    whole simulated network ends with the machine anyway.
//  - One environment a directory a process, and none across fork(): LMDB's locks are the process's.
//  Never on NFS.
//  - No duplicates under one key (DUPSORT): its cursors had faults fixed only after the version in
//  use.
//  - A write that fails for want of room stops writing: later write transactions are refused by
//  name until the
//    environment is opened anew or resume_writing() is called. What was committed stays whole,
//    reading goes on.
//  - The record "format" of table "meta" names who wrote the file and in which version; any other
//  is refused.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "messages/values/bytes.hpp"

namespace soma::lmdb {

struct environment_options {
  std::size_t map_bytes = std::size_t{64} << 30;  // address space, not disk space
  std::string format{};                           // for example "soma-ledger 1"
  std::vector<std::string> tables{};              // created when missing; "meta" is always there
  bool read_only = false;                         // beside another process that writes
  bool sync = true;  // false: commits survive a kill, not a power cut; for simulated networks alone
};

/// How full the map is: watch it, alarm at 70 %.
struct environment_usage {
  std::size_t used_bytes = 0;  // high-water mark: pages freed inside are not subtracted
  std::size_t map_bytes = 0;
};

/// A named table of an environment. A value; valid while its environment is.
class database {
 public:
  [[nodiscard]] std::string_view name() const { return name_; }
  /// The number LMDB knows the table by.
  [[nodiscard]] unsigned handle() const { return handle_; }

 private:
  friend class environment;
  database(unsigned handle, std::string_view name) : handle_(handle), name_(name) {}

  unsigned handle_;
  std::string_view name_;
};

/// Sees each record that is written, before it is durable, and whether it was appended.
using put_watcher =
    std::function<void(std::string_view table, byte_view key, byte_view value, bool appended)>;

class environment {
 public:
  /// Opens, or creates with mode 0700, `directory`. Throws failure: already_open, wrong_format,
  /// not_there, broken_file, storage_full, machine.
  environment(const std::filesystem::path& directory, environment_options options);
  ~environment();
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

  /// One of the tables named in the options, or "meta".
  [[nodiscard]] database table(std::string_view name) const;

  [[nodiscard]] environment_usage usage() const;
  /// Whether a failed write has stopped writing.
  [[nodiscard]] bool write_stopped() const;
  /// Takes writing up again after room was made. Does nothing when writing stopped for another
  /// reason than room.
  void resume_writing();
  /// Gives back the slots of readers whose process died; their old pages become free. Called at
  /// open; call each minute.
  void reap_dead_readers();
  /// For benchmarks that do the same with LMDB alone. Between transactions; empty ends it.
  void watch_puts(put_watcher watcher);

 private:
  friend class read_txn;
  friend class write_txn;
  struct state;
  void open_tables(const environment_options& options);

  std::unique_ptr<state> state_;
};

}  // namespace soma::lmdb
