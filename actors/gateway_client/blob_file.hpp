// A blob that is coming into a file of its size. What must hold:
//   - Whoever is killed goes on with the same file: at the beginning each chunk that lies there is
//     hashed, and those that are right stay. Nothing else is remembered.
//   - Nothing of the blob is in memory but the chunk that is being read or written.
// Failures of the disk are thrown as std::system_error.
#pragma once

#include <filesystem>
#include <memory>

#include "actors/gateway_client/blob_pull.hpp"

namespace soma::gateway_client {

class blob_file {
 public:
  /// Opens the file, or makes it, and locks it against other processes.
  explicit blob_file(std::filesystem::path path);
  ~blob_file();
  blob_file(const blob_file&) = delete;
  blob_file& operator=(const blob_file&) = delete;

  /// The sink of pull_blob(). It must not be used when this object is gone.
  [[nodiscard]] chunk_sink sink();
  /// Calls `change` with each chunk in order, writes back what it made of it, and makes all of it
  /// durable. A kill in the middle leaves chunks that are no longer those of the blob, and the next
  /// pull fetches these anew.
  void rewrite(const std::function<void(std::uint64_t at, std::span<std::uint8_t> chunk)>& change);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  [[nodiscard]] std::vector<bool> begin(const blob_outline& what);
  void write(std::uint64_t at, byte_view data) const;
  [[nodiscard]] std::size_t read(std::uint64_t at, std::span<std::uint8_t> to) const;

  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace soma::gateway_client
