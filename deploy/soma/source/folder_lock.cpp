#include "deploy/soma/source/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

/// How often a lock whose file was removed meanwhile is tried again.
constexpr int most_tries = 100;

}  // namespace

expected<folder_lock, failure> folder_lock::take(const fs::path& path, failure taken) {
  const auto cannot = [&] {
    return failed("cannot lock " + path.string(), std::generic_category().message(errno),
                  "check the disk and who may write there, or choose another --home");
  };
  for (int tries = 0; tries < most_tries; ++tries) {
    const int opened = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (opened < 0) return cannot();
    folder_lock made(opened);
    if (::flock(opened, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return cannot();
      return make_unexpected(std::move(taken));
    }
    // An owner that has ended in between may have removed the file that was opened: then others
    // would lock another file of this name.
    struct stat locked {};
    struct stat named {};
    if (::fstat(opened, &locked) != 0) return cannot();
    if (::lstat(path.c_str(), &named) == 0 && named.st_dev == locked.st_dev &&
        named.st_ino == locked.st_ino) {
      return made;
    }
  }
  errno = EAGAIN;
  return cannot();
}

expected<folder_lock, failure> folder_lock::take_for_now(const fs::path& path, failure taken) {
  auto made = take(path, std::move(taken));
  if (made) made->removed_at_end_ = path;
  return made;
}

expected<std::optional<folder_lock>, failure> folder_lock::share(const fs::path& path,
                                                                 failure taken) {
  int opened = ::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (opened < 0) opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (opened < 0) return std::optional<folder_lock>{};
  folder_lock made(opened);
  if (::flock(opened, LOCK_SH | LOCK_NB) == 0) return std::optional(std::move(made));
  if (errno == EWOULDBLOCK) return make_unexpected(std::move(taken));
  return std::optional<folder_lock>{};
}

folder_lock::folder_lock(folder_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      removed_at_end_(std::move(other.removed_at_end_)) {}

folder_lock::~folder_lock() {
  if (descriptor_ >= 0 && !removed_at_end_.empty()) ::unlink(removed_at_end_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace soma::cli
