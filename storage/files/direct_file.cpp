#include "storage/files/direct_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "messages/values/assert.hpp"

namespace soma::files {
namespace {

/// Room is taken in steps, so that most writes change no size of the file.
constexpr std::size_t room_step_bytes = std::size_t{1} << 20;

std::size_t rounded_up(std::size_t size, std::size_t unit) {
  return (size + unit - 1) / unit * unit;
}

bool ends_at_a_limit(std::size_t end) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         end > limit.rlim_cur;
}

int full_or(int error) {
  return error == EDQUOT || error == EFBIG ? ENOSPC : error;
}

}  // namespace

void direct_file::freed::operator()(std::uint8_t* memory) const {
  std::free(memory);
}

direct_file::direct_file(std::filesystem::path file, opening how, bool sync)
    : file_(std::move(file)), how_(how), sync_(sync) {
  try {
    open(sync);
  } catch (...) {
    if (fd_ >= 0) ::close(fd_);
    throw;
  }
}

direct_file::~direct_file() {
  if (fd_ >= 0) ::close(fd_);
}

void direct_file::fail(int error, const char* doing) const {
  throw std::system_error(error, std::generic_category(),
                          std::string(doing) + " " + file_.string());
}

void direct_file::open(bool direct) {
  const int flags = O_RDWR | O_CLOEXEC | (how_ == opening::or_create ? O_CREAT : 0);
  direct_ = direct;
  fd_ = ::open(file_.c_str(), direct ? flags | O_DIRECT | O_DSYNC : flags, 0600);
  if (fd_ < 0 && direct && errno == EINVAL) return open(false);
  if (fd_ < 0) fail(errno, "open");
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) fail(errno, "lock");
  struct stat on_disk {};
  if (::fstat(fd_, &on_disk) != 0) fail(errno, "stat");
  room_ = static_cast<std::size_t>(on_disk.st_size);
}

std::uint8_t* direct_file::memory_for(std::size_t size) {
  if (size + largest_unit_bytes > memory_size_) {
    memory_size_ = rounded_up(2 * size + largest_unit_bytes, largest_unit_bytes);
    memory_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(largest_unit_bytes, memory_size_)));
    if (!memory_) throw std::bad_alloc();
  }
  return memory_.get();
}

void direct_file::take_room(std::size_t size) {
  if (size <= room_) return;
  for (const auto wanted : {std::max(size, room_ + room_step_bytes), size}) {
    const int error =
        ::posix_fallocate(fd_, static_cast<off_t>(room_), static_cast<off_t>(wanted - room_));
    if (error == 0) {
      room_ = wanted;
      return;
    }
    if (wanted == size) fail(full_or(error), "make room in");
  }
}

/// Returns an error number; 0 if all was written.
int direct_file::write_units(std::size_t whole, std::size_t at) const {
  for (std::size_t done = 0; done < whole;) {
    const auto wrote =
        ::pwrite(fd_, memory_.get() + done, whole - done, static_cast<off_t>(at + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return full_or(errno);
    if (wrote == 0) return ENOSPC;
    done += static_cast<std::size_t>(wrote);
  }
  if (!sync_ || direct_) return 0;
  while (::fdatasync(fd_) != 0) {
    // A sync that fails for want of room has lost what it should have written.
    if (errno != EINTR) return errno == ENOSPC ? EIO : errno;
  }
  return 0;
}

std::size_t direct_file::read(std::span<std::uint8_t> to, std::size_t at) const {
  SOMA_ASSERT(at % largest_unit_bytes == 0 && to.size() <= largest_unit_bytes,
              "a read of one unit");
  alignas(largest_unit_bytes) std::array<std::uint8_t, largest_unit_bytes> unit;
  for (;;) {
    const auto got = ::pread(fd_, unit.data(), unit.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno, "read");
    const auto size = std::min(static_cast<std::size_t>(got), to.size());
    std::copy_n(unit.begin(), size, to.begin());
    return size;
  }
}

void direct_file::write(std::size_t size, std::size_t at) {
  SOMA_ASSERT(size + largest_unit_bytes <= memory_size_, "the bytes lie in the file's memory");
  for (;;) {
    SOMA_ASSERT(at % (proven_ ? unit_ : largest_unit_bytes) == 0, "a write begins at a unit");
    const auto whole = rounded_up(size, unit_);
    std::memset(memory_.get() + size, 0, whole - size);
    const int error = write_units(whole, at);
    if (error == 0) break;
    // Where a file may not grow further, a part of a direct write is taken, and then the rest is
    // refused because it is no whole unit.
    if (error == EINVAL && ends_at_a_limit(at + whole)) fail(ENOSPC, "write");
    if (error != EINVAL || !direct_ || proven_) fail(error, "write");
    // This disk or file system wants larger units, or no direct writes at all.
    if (unit_ < largest_unit_bytes) {
      unit_ = largest_unit_bytes;
    } else {
      unit_ = smallest_unit_bytes;
      ::close(std::exchange(fd_, -1));
      open(false);
    }
  }
  proven_ = true;
}

}  // namespace soma::files
