// A second place that knows how far a voting record has come: a small file beside the tables, which
// is locked as long as the record is open. Two slots of one page each, written in turn:
//   sequence number u64 | H of the record's head, 32 bytes | CRC-32C u32 of both; little endian.
// What must hold: a slot is written after the commit it tells of and before anybody hears of that
// commit, so tables that are further behind than a slot have lost something.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "messages/values/ids.hpp"

namespace soma::votes {

class rollback_guard {
 public:
  struct seen {
    std::uint64_t sequence = 0;
    hash256 head;
  };

  /// Makes the file with its first slot, durable once its directory is. Throws lmdb::failure.
  static void create(const std::filesystem::path& file, const seen& first);

  /// Opens and locks; without `sync` a write survives a kill alone. Throws lmdb::failure:
  /// already_open by any process, machine.
  explicit rollback_guard(const std::filesystem::path& file, bool sync = true);
  ~rollback_guard();
  rollback_guard(const rollback_guard&) = delete;
  rollback_guard& operator=(const rollback_guard&) = delete;

  /// The later of the slots that are whole; none: the file is damaged.
  [[nodiscard]] std::optional<seen> read() const;
  /// Durable when it returns. Throws lmdb::failure; after one of `machine` the file is of no more
  /// use.
  void write(const seen& now);

 private:
  int fd_ = -1;
  bool sync_ = true;
};

}  // namespace soma::votes
