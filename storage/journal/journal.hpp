// A file of numbered records, to which records are appended and which is begun anew from time to
// time. It is what makes a small change durable by one small write, where a tree of pages has to
// write whole paths. The file, with numbers in little endian:
//
//   head     "soma-journal 1\n\0" | first number u64 | unit u32 | CRC-32C of these u32
//   record   number u64 | payload's size u32 | CRC-32C of both and of the payload u32 | payload
//
// The head and each record begin at a multiple of the unit, 512 bytes unless the disk wants more.
// So an append never touches a unit that holds an earlier record. In each sector of 512 bytes of a
// record stands first a byte that says whether the record begins (1) or goes on (2) in it, then
// 511 bytes of the record. Where the file system can, writes
// go past the page cache, so that a record costs its own units and not a page of memory.
//
// What must hold:
//   - When append returns, the record is on the disk, and so are all records before it. (A journal
//     that is opened without `sync` survives a kill, but not a power cut.)
//   - A record counts only if all before it are whole. A record that a crash has torn is therefore
//     the end of the journal, and it was never acknowledged.
//   - Numbers ascend by one, also when a file is begun anew. So what is left of an earlier use of
//     the file is never mistaken for a record.
// One process at a time writes a journal; others may read it meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "messages/values/bytes.hpp"

namespace soma::journal {

/// Writes one file. A failing disk throws std::system_error; a full one has the code ENOSPC. After
/// another failure of begin or append it is unknown what the disk holds, and the object must not be
/// used any more.
class writer {
 public:
  /// Opens the file and locks it, or creates it with mode 0600. What it holds stays until begin.
  /// Throws std::system_error, with the code EWOULDBLOCK if another writer has the file.
  explicit writer(const std::filesystem::path& file, bool sync = true);
  ~writer();
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  /// Forgets all records. The next one has this number.
  void begin(std::uint64_t first);
  /// Appends one record, whose payload is the parts one after the other. Begin comes first
  /// (asserted). After a failure for want of room the same record may be appended again.
  void append(std::span<const byte_view> parts);

  /// The number of the next record.
  [[nodiscard]] std::uint64_t next() const;
  /// The bytes from the beginning of the file to the end of its last record.
  [[nodiscard]] std::size_t size_bytes() const;

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

/// Reads one file, also while another process writes it. Throws std::system_error if the file
/// cannot be read. A file that is missing or has no whole head holds no records.
class reader {
 public:
  explicit reader(std::filesystem::path file);
  ~reader();
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  /// Looks whether the file was begun anew since the last call, and if so starts at its first
  /// record. Returns the number of the first record; 0 if the file has no whole head.
  std::uint64_t look();
  /// Reads the next record, if it is whole. The view dies with the next call.
  [[nodiscard]] bool next(byte_view& payload);
  /// The number of the record that next() reads.
  [[nodiscard]] std::uint64_t number() const;
  /// Whether the file has a whole record with this number or a higher one anywhere. If so, and such
  /// a record cannot be reached, an acknowledged record before it was damaged.
  [[nodiscard]] bool has_record_from(std::uint64_t number) const;

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

}  // namespace soma::journal
