// A file whose bytes are read where they are wanted, by any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace soma::files {

class readable_file {
 public:
  /// nullptr when it cannot be opened. It follows no link, and opens regular files alone.
  [[nodiscard]] static std::shared_ptr<const readable_file> open(const std::filesystem::path& path);
  ~readable_file();
  readable_file(const readable_file&) = delete;
  readable_file& operator=(const readable_file&) = delete;

  /// False when the file does not give all of these bytes.
  [[nodiscard]] bool read(std::uint64_t at, std::span<std::uint8_t> to) const;

 private:
  explicit readable_file(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace soma::files
