// A directory of a test's own, and random bytes that are the same for the same seed.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "messages/values/bytes.hpp"

namespace soma::test {

class scratch_directory {
 public:
  scratch_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "soma-storage-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~scratch_directory() { std::filesystem::remove_all(path_); }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  bytes data(size);
  for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
  return data;
}

inline bytes copy(byte_view data) {
  return {data.begin(), data.end()};
}

inline bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Flips one bit of the byte at `offset`.
inline void flip(const std::filesystem::path& path, std::size_t offset, std::uint8_t mask = 1) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(offset));
  const auto byte = static_cast<char>(file.get() ^ mask);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

/// Calls look() -> bool on three threads again and again while write() runs here. True if every
/// look returned true, and if there were enough of them to prove something.
template <class Look, class Write>
bool all_looks_good(const Look& look, const Write& write) {
  constexpr std::uint64_t enough = 50;
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> bad = 0;
  std::atomic<std::uint64_t> looks = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done || looks < enough) {
        if (!look()) ++bad;
        ++looks;
      }
    });
  }
  write();
  done = true;
  for (auto& reader : readers) reader.join();
  return bad == 0;
}

}  // namespace soma::test
