// A file that is written in whole units, past the page cache where the file system can do that, and
// durably: a small write then costs the disk its own units, 512 bytes or a few, and not a page and
// a flush of everything else. Where direct writes are refused, each write is followed by a sync.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace soma::files {

class direct_file {
 public:
  static constexpr std::size_t smallest_unit_bytes = 512;
  static constexpr std::size_t largest_unit_bytes = 4'096;

  enum class opening : std::uint8_t { existing, or_create };
  /// Opens the file and locks it for this object; a created one has mode 0600. Without `sync`, a
  /// write survives a kill but not a power cut. Throws std::system_error, with the code EWOULDBLOCK
  /// if the file is locked already.
  direct_file(std::filesystem::path file, opening how, bool sync);
  ~direct_file();
  direct_file(const direct_file&) = delete;
  direct_file& operator=(const direct_file&) = delete;

  /// Memory for a write of so many bytes; it is the same until the next call.
  [[nodiscard]] std::uint8_t* memory_for(std::size_t size);
  /// Writes the first `size` bytes of that memory at `at`, a multiple of the unit, and zeros up to
  /// the next multiple. Durable when it returns. The first write finds out which unit the disk
  /// takes; it is done at a multiple of the largest. Throws std::system_error: a disk, a quota or a
  /// limit that leaves no room has the code ENOSPC.
  void write(std::size_t size, std::size_t at);
  /// Reads at `at`, a multiple of the largest unit, at most that many bytes. Returns how many there
  /// are. Throws std::system_error.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> to, std::size_t at) const;
  /// Makes the disk give its place to the first `size` bytes of the file. Throws std::system_error
  /// as write does.
  void take_room(std::size_t size);

  [[nodiscard]] std::size_t unit() const { return unit_; }

 private:
  struct freed {
    void operator()(std::uint8_t* memory) const;
  };
  [[noreturn]] void fail(int error, const char* doing) const;
  void open(bool direct);
  [[nodiscard]] int write_units(std::size_t whole, std::size_t at) const;

  std::filesystem::path file_;
  opening how_;
  bool sync_ = true;
  bool direct_ = false;
  bool proven_ = false;  // that the disk takes writes of this unit
  int fd_ = -1;
  std::size_t unit_ = smallest_unit_bytes;
  std::size_t room_ = 0;  // bytes of the file that have their place on the disk
  std::unique_ptr<std::uint8_t[], freed> memory_;
  std::size_t memory_size_ = 0;
};

}  // namespace soma::files
