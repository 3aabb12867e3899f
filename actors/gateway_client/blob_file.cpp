#include "actors/gateway_client/blob_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "messages/crypto/merkle.hpp"

namespace soma::gateway_client {
namespace {

using crypto::blob_chunk_bytes;

[[noreturn]] void fail(const std::filesystem::path& path, const char* doing) {
  throw std::system_error(errno, std::generic_category(), std::string(doing) + path.string());
}

}  // namespace

blob_file::blob_file(std::filesystem::path path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd_ < 0) fail(path_, "cannot open ");
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  const auto why = errno;
  ::close(fd_);
  errno = why;
  fail(path_, "another process writes ");
}

blob_file::~blob_file() {
  ::close(fd_);
}

chunk_sink blob_file::sink() {
  chunk_sink out;
  out.begin = [this](const blob_outline& what) { return begin(what); };
  out.put = [this](std::uint32_t number, byte_view chunk) {
    write(std::uint64_t{number} * blob_chunk_bytes, chunk);
  };
  return out;
}

std::vector<bool> blob_file::begin(const blob_outline& what) {
  size_bytes_ = what.size_bytes;
  struct stat known {};
  if (::fstat(fd_, &known) != 0) fail(path_, "cannot read ");
  std::vector<bool> present(what.chunk_hashes.size());
  bytes chunk(blob_chunk_bytes);
  for (std::size_t i = 0; i < present.size(); ++i) {
    const auto at = i * std::uint64_t{blob_chunk_bytes};
    if (at >= static_cast<std::uint64_t>(known.st_size)) break;
    const auto size = std::min<std::uint64_t>(blob_chunk_bytes, size_bytes_ - at);
    const auto got = read(at, std::span(chunk).first(size));
    present[i] =
        got == size && crypto::chunk_hash(byte_view(chunk).first(size)) == what.chunk_hashes[i];
  }
  if (::ftruncate(fd_, static_cast<off_t>(size_bytes_)) != 0) fail(path_, "cannot make room for ");
  // A disk that has no room says so now, and not when most of the blob has come.
  errno = ::posix_fallocate(fd_, 0, static_cast<off_t>(size_bytes_));
  if (errno != 0) fail(path_, "cannot make room for ");
  return present;
}

void blob_file::rewrite(
    const std::function<void(std::uint64_t at, std::span<std::uint8_t> chunk)>& change) {
  bytes chunk(blob_chunk_bytes);
  for (std::uint64_t at = 0; at < size_bytes_; at += blob_chunk_bytes) {
    const auto part =
        std::span(chunk).first(std::min<std::uint64_t>(blob_chunk_bytes, size_bytes_ - at));
    if (read(at, part) != part.size()) {
      errno = EIO;
      fail(path_, "cannot read ");
    }
    change(at, part);
    write(at, part);
  }
  if (::fsync(fd_) != 0) fail(path_, "cannot write ");
}

void blob_file::write(std::uint64_t at, byte_view data) const {
  while (!data.empty()) {
    const auto done = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail(path_, "cannot write ");
    at += static_cast<std::uint64_t>(done);
    data = data.subspan(static_cast<std::size_t>(done));
  }
}

std::size_t blob_file::read(std::uint64_t at, std::span<std::uint8_t> to) const {
  std::size_t got = 0;
  while (got < to.size()) {
    const auto done = ::pread(fd_, to.data() + got, to.size() - got, static_cast<off_t>(at + got));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail(path_, "cannot read ");
    if (done == 0) break;
    got += static_cast<std::size_t>(done);
  }
  return got;
}

}  // namespace soma::gateway_client
