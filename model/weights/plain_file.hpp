// One descriptor on one plain file, and a read-only mapping of it. Reading never raises a signal; a
// mapping can: whoever shortens a mapped file, or a disk that fails under it, ends a process that
// touches the lost pages with SIGBUS. So a mapping is for files of the person who runs the process,
// never for what strangers can reach.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "messages/types/bytes.hpp"

namespace soma::model {

/// What the file system says about a file's content: equal stamps of one file, the earlier of them
/// settled, mean that nobody wrote to it in between through write or truncate. Who holds a writable
/// shared mapping of the file can hide a change from the stamp until the kernel writes it back.
struct file_stamp {
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // content; utimensat can forge it
  std::int64_t changed_ns = 0;   // content, names, rights; nobody can forge it
  /// Younger changes cannot share `changed_ns`: the kernel's clock has left it behind.
  bool settled = false;
};

class plain_file {
 public:
  /// nullopt unless it opens, is no symbolic link and is a plain file; a pipe does not block.
  [[nodiscard]] static std::optional<plain_file> open(const std::filesystem::path& path);
  plain_file(plain_file&& other) noexcept;
  plain_file& operator=(plain_file&&) = delete;
  ~plain_file();

  /// nullopt when the machine cannot say.
  [[nodiscard]] std::optional<file_stamp> stamp() const;
  /// Fills `to` from the byte `offset` on; false when the file ends before or cannot be read.
  [[nodiscard]] bool read_at(std::uint64_t offset, std::span<std::uint8_t> to) const;
  [[nodiscard]] int descriptor() const { return fd_; }

 private:
  explicit plain_file(int fd) : fd_(fd) {}
  int fd_;
};

/// The first bytes of a file as memory that nobody in this process can write; pages come from the
/// file when they are touched and need no memory of their own.
class file_mapping {
 public:
  /// `size_bytes` is at least 1. Throws std::system_error when the machine cannot map it.
  file_mapping(const plain_file& file, std::uint64_t size_bytes);
  ~file_mapping();
  file_mapping(const file_mapping&) = delete;
  file_mapping& operator=(const file_mapping&) = delete;
  [[nodiscard]] byte_view view() const { return {begin_, size_}; }

 private:
  const std::uint8_t* begin_;
  std::size_t size_;
};

}  // namespace soma::model
