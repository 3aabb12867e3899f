#include "model/weights/plain_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "messages/values/assert.hpp"

namespace soma::weights {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// nullopt unless the descriptor belongs to a plain file.
std::optional<struct stat> status_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return status;
}

}  // namespace

std::optional<plain_file> plain_file::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  plain_file file(fd);
  if (!status_of(fd)) return std::nullopt;
  return file;
}

plain_file::plain_file(plain_file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

plain_file::~plain_file() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<file_stamp> plain_file::stamp() const {
  // This is the clock that stamps files. It is read first: a change after this moment gets a stamp
  // that is not older than `now`.
  timespec now{};
  const bool known = ::clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0;
  const auto status = status_of(fd_);
  if (!status) return std::nullopt;
  const std::int64_t changed_ns = nanoseconds(status->st_ctim);
  return file_stamp{static_cast<std::uint64_t>(status->st_size), nanoseconds(status->st_mtim),
                    changed_ns, known && changed_ns < nanoseconds(now)};
}

bool plain_file::read_at(std::uint64_t offset, std::span<std::uint8_t> to) const {
  while (!to.empty()) {
    const auto piece = std::min<std::size_t>(to.size(), std::size_t{1} << 30);
    const ssize_t got = ::pread(fd_, to.data(), piece, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

file_mapping::file_mapping(const plain_file& file, std::uint64_t size_bytes) : size_(size_bytes) {
  SOMA_ASSERT(size_bytes >= 1, "a mapping has at least one byte");
  void* const begin =
      ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, file.descriptor(), 0);
  if (begin == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "a file cannot be mapped");
  }
  begin_ = static_cast<const std::uint8_t*>(begin);
}

file_mapping::~file_mapping() {
  ::munmap(const_cast<std::uint8_t*>(begin_), size_);
}

}  // namespace soma::weights
