// One LMDB directory, opened once. What must hold:
//  - The map is sized once, large and sparse; it is never resized while the environment is open.
//  - When a commit returns, its bytes are on the disk: in the tables, by LMDB's default sync flags,
//    or in a journal (below). This is relaxed only for a whole simulated network, which ends with
//    the machine anyway.
//  - With a journal, a commit appends what it changed to a file (storage/journal) and the tables
//    follow later, many transactions at a time, in order and as a whole. Readers, also those of
//    other processes, see what was committed and not what the tables hold. A process that was
//    killed finds everything again when it opens the environment. The files journal.0 and
//    journal.1 therefore belong to the data as much as data.mdb does.
//  - A process opens one environment for a directory and does not use it across fork(), because
//    LMDB's locks belong to the process. The directory never lies on NFS.
//  - A key has one value; duplicates (DUPSORT) are not used, because faults of their cursors were
//    fixed only after the version of LMDB that is in use.
//  - A write that fails for want of room stops writing: later write transactions are refused by
//    name until the environment is opened anew or resume_writing() is called. What was committed
//    stays whole, and reading goes on.
//  - The record "format" of table "meta" names the program and the version that wrote the file;
//    a file with any other format is refused.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/values/bytes.hpp"

namespace soma::lmdb {

/// How far the tables may lag behind the journal.
struct write_ahead_options {
  std::size_t checkpoint_bytes = std::size_t{32} << 20;  // of changes; memory holds them until then
  std::uint32_t checkpoint_batches = 512;                // transactions
  // Whether a thread of its own brings the changes into the tables while others are committed.
  bool in_background = true;
};

struct environment_options {
  std::size_t map_bytes = std::size_t{64} << 30;  // address space, not disk space
  std::string format{};                           // for example "soma-ledger 1"
  std::string other_format_advice{};              // said of a file of another format
  std::vector<std::string> tables{};              // created when missing; "meta" is always there
  bool read_only = false;                         // beside another process that writes
  // If false, commits survive a kill but not a power cut; only for simulated networks.
  bool sync = true;
  std::optional<write_ahead_options> journal{};  // without a value there is none
};

/// How full the map is. The operator watches it; an alarm is due at 70 %.
struct environment_usage {
  std::size_t used_bytes = 0;  // high-water mark: pages that were freed inside are not subtracted
  std::size_t map_bytes = 0;
};

/// A named table of an environment. It is a value, valid while its environment is open.
class database {
 public:
  [[nodiscard]] std::string_view name() const { return name_; }
  /// The number by which LMDB knows the table.
  [[nodiscard]] unsigned handle() const { return handle_; }
  /// Its place in the list with which the environment was opened; journals name it so.
  [[nodiscard]] std::uint8_t number() const { return number_; }

 private:
  friend class environment;
  database(unsigned handle, std::uint8_t number, std::string_view name)
      : handle_(handle), number_(number), name_(name) {}

  unsigned handle_;
  std::uint8_t number_;
  std::string_view name_;
};

/// Is called for each record that is written, before the record is durable, and learns whether it
/// was appended.
using put_watcher =
    std::function<void(std::string_view table, byte_view key, byte_view value, bool appended)>;

class environment {
 public:
  /// Opens `directory`, or creates it with mode 0700. Throws failure: already_open, wrong_format,
  /// not_there, broken_file, storage_full, machine.
  environment(const std::filesystem::path& directory, environment_options options);
  ~environment();
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

  /// Returns one of the tables named in the options, or "meta".
  [[nodiscard]] database table(std::string_view name) const;

  [[nodiscard]] environment_usage usage() const;
  /// True after a failed write has stopped writing.
  [[nodiscard]] bool write_stopped() const;
  /// Allows writing again after room was made. It does nothing if writing stopped for another
  /// reason than missing room.
  void resume_writing();
  /// Frees the reader slots of processes that have died; the old pages that they pinned become
  /// free. The constructor calls it; the owner calls it each minute.
  void reap_dead_readers();
  /// Brings what the journal holds into the tables. Waits until a writer has ended. Does nothing
  /// without a journal. Throws failure.
  void checkpoint();
  /// For benchmarks that repeat the same writes with LMDB alone. To be called between transactions;
  /// an empty watcher ends it.
  void watch_puts(put_watcher watcher);

 private:
  friend class read_txn;
  friend class write_txn;
  struct state;
  void open_tables(const environment_options& options);

  std::unique_ptr<state> state_;
};

}  // namespace soma::lmdb
