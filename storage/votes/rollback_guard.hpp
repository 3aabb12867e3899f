// A small file, called `witness`, beside the tables of a voting record. It knows how far the record
// has come, and it is locked as long as the record is open. It has two slots, each in a page of its
// own, which are written in turn, each by one small write past the page cache where that can be
// done. A slot, in little endian:
//   sequence number u64 | H of the record's head, 32 bytes | CRC-32C u32 of both
// What must hold: a slot is written after the commit that it describes and before anything outside
// learns of that commit. So tables that are behind a slot have lost something.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "messages/values/ids.hpp"
#include "storage/files/direct_file.hpp"

namespace soma::votes {

class rollback_guard {
 public:
  struct seen {
    std::uint64_t sequence = 0;
    hash256 head;
  };

  /// Makes the file with its first slot. It is durable once its directory has been synced. Throws
  /// lmdb::failure.
  static void create(const std::filesystem::path& file, const seen& first);

  /// Opens the file and locks it. Without `sync` a write survives a kill but not a power cut.
  /// Throws lmdb::failure: already_open if any process has it open, machine.
  explicit rollback_guard(const std::filesystem::path& file, bool sync = true);

  /// The later of the slots that are whole. If neither is whole, the file is damaged and there is
  /// no value.
  [[nodiscard]] std::optional<seen> read() const;
  /// Durable when it returns. Throws lmdb::failure; after a `machine` failure this object must not
  /// be used again.
  void write(const seen& now);

 private:
  files::direct_file file_;
};

}  // namespace soma::votes
