// Private to storage/lmdb: transactions that are durable in a journal and come into the tables
// later, many at a time. A transaction then costs one append, and a page of the tables is written
// once for many transactions that change it. What must hold:
//   - A batch has a number and is in a journal, durably, before anybody can read it.
//   - The tables hold the batches up to the number in the record "journal" of the table "meta" and
//     nothing of later ones. Those are in the journals, without a gap. A checkpoint, one
//     transaction of LMDB, brings a whole number of batches into the tables.
//   - A journal is begun anew only when the tables hold all of its records.
//   - Readers see the tables with the later batches on top, each batch whole or not at all.
// There are two journals: one takes batches while a thread brings those of the other one into the
// tables.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "storage/journal/journal.hpp"
#include "storage/lmdb/handles.hpp"
#include "storage/lmdb/sorted_run.hpp"

namespace soma::lmdb {

/// What it needs of the environment to which it belongs, and which outlives it.
struct write_behind_ports {
  std::filesystem::path directory;
  bool read_only = false;
  bool sync = true;
  MDB_env* env = nullptr;
  std::vector<database> tables;  // "meta" is the last
  std::atomic<write_state>& writing;
};

class write_behind {
 public:
  /// Reads the journals beside the tables. If it may write, it brings what they hold into the
  /// tables; where the disk has no room for that, writing stops and reading goes on. Throws failure
  /// broken_file if an acknowledged batch is missing.
  write_behind(write_behind_ports ports, const write_ahead_options& options);
  ~write_behind();
  write_behind(const write_behind&) = delete;
  write_behind& operator=(const write_behind&) = delete;

  /// Begins to read the tables, and returns the batches that they do not hold yet.
  [[nodiscard]] std::shared_ptr<const run_list> begin_read(MDB_txn*& txn);

  /// One writer at a time holds this lock, from its first look to the end of its commit.
  [[nodiscard]] std::unique_lock<std::mutex> lock_writer() { return std::unique_lock(writer_); }
  /// To be called with the writer's lock before anything is written: makes up for a checkpoint that
  /// failed before. Throws failure.
  void make_ready();
  /// Appends a batch and lets readers see it. To be called with the writer's lock. Throws failure.
  void commit(bytes batch);
  /// Brings all batches into the tables. To be called with the writer's lock. Throws failure.
  void checkpoint();

 private:
  using list_pointer = std::shared_ptr<const run_list>;

  [[noreturn]] void stop_writing(const std::system_error& why);
  void load();
  void read_journals(std::uint64_t held, std::map<std::uint64_t, sorted_run::pointer>& into);
  void begin_journal(std::size_t which);
  void freeze();
  void write_out();
  void start_write_out();
  [[nodiscard]] bool is_busy();
  void wait_for_write_out();
  void publish();
  [[nodiscard]] std::shared_ptr<const run_list> follow(std::uint64_t held);

  const write_behind_ports ports_;
  const write_ahead_options options_;
  std::array<std::optional<journal::writer>, 2> journals_;
  std::array<std::optional<journal::reader>, 2> readers_;
  std::size_t current_ = 0;    // the journal that takes batches
  bool begun_ = false;         // whether it is one that may be appended to
  std::uint64_t last_ = 0;     // the number of the last batch
  std::uint32_t batches_ = 0;  // in active_
  std::uint64_t frozen_through_ = 0;

  std::mutex writer_;
  std::thread writing_out_;
  // The lock of all that follows.
  std::mutex mutex_;
  bool is_writing_out_ = false;
  run_list active_;         // in the current journal
  run_list frozen_;         // in the other journal
  list_pointer published_;  // both
  // Of an environment that is opened for reading: the batches that are not in its tables.
  std::map<std::uint64_t, sorted_run::pointer> followed_;
  // published_ has the batches after the first of these numbers, up to the second; 0: it has none.
  std::uint64_t followed_from_ = 0;
  std::uint64_t followed_through_ = 0;
};

}  // namespace soma::lmdb
