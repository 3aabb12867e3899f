// One descriptor for one plain file, and a read-only mapping of it. Reading never raises a signal,
// but touching a mapping can: if the mapped file is shortened, or its disk fails, a process that
// touches the lost pages ends with SIGBUS. So a mapping is for files of the person who runs the
// process, never for files that strangers can reach.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "messages/values/bytes.hpp"

namespace soma::weights {

/// What the file system says about a file's content. If two stamps of one file are equal and the
/// earlier one is settled, then the file was not changed between them by write or truncate. A
/// process with a writable shared mapping of the file can hide a change until the kernel writes it
/// back.
struct file_stamp {
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // when the content changed; utimensat can forge it
  std::int64_t changed_ns = 0;   // when content, names or rights changed; it cannot be forged
  /// True if a later change must have another `changed_ns`, since the clock has gone past it.
  bool settled = false;
};

class plain_file {
 public:
  /// nullopt unless the path can be opened and is a plain file, or leads to one through symbolic
  /// links, as the names in the cache of a model hub do. The descriptor stays with the file that it
  /// was opened with, wherever the link points later. A pipe does not block.
  [[nodiscard]] static std::optional<plain_file> open(const std::filesystem::path& path);
  plain_file(plain_file&& other) noexcept;
  plain_file& operator=(plain_file&&) = delete;
  ~plain_file();

  /// nullopt if the machine cannot tell.
  [[nodiscard]] std::optional<file_stamp> stamp() const;
  /// Fills `to` with the bytes from `offset` on. False if the file ends before or cannot be read.
  [[nodiscard]] bool read_at(std::uint64_t offset, std::span<std::uint8_t> to) const;
  [[nodiscard]] int descriptor() const { return fd_; }

 private:
  explicit plain_file(int fd) : fd_(fd) {}
  int fd_;
};

/// The first bytes of a file as read-only memory. Its pages come from the file when they are
/// touched and need no memory of their own.
class file_mapping {
 public:
  /// `size_bytes` is at least 1. Throws std::system_error when the machine cannot map the file.
  file_mapping(const plain_file& file, std::uint64_t size_bytes);
  ~file_mapping();
  file_mapping(const file_mapping&) = delete;
  file_mapping& operator=(const file_mapping&) = delete;
  [[nodiscard]] byte_view view() const { return {begin_, size_}; }

 private:
  const std::uint8_t* begin_;
  std::size_t size_;
};

}  // namespace soma::weights
