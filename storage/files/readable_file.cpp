#include "storage/files/readable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace soma::files {

std::shared_ptr<const readable_file> readable_file::open(const std::filesystem::path& path) {
  // Without O_NONBLOCK a pipe of that name would hold this thread up.
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return nullptr;
  const std::shared_ptr<const readable_file> opened(new readable_file(fd));
  struct stat what {};
  if (::fstat(fd, &what) != 0 || !S_ISREG(what.st_mode)) return nullptr;
  return opened;
}

readable_file::~readable_file() {
  ::close(fd_);
}

bool readable_file::read(std::uint64_t at, std::span<std::uint8_t> to) const {
  while (!to.empty()) {
    const auto got = ::pread(fd_, to.data(), to.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to = to.subspan(static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace soma::files
