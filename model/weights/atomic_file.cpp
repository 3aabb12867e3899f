#include "model/weights/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace soma::weights {
namespace {

[[noreturn]] void raise(const std::filesystem::path& path, const char* what) {
  throw std::system_error(errno, std::generic_category(), path.string() + ": " + what);
}

class descriptor {
 public:
  descriptor(const std::filesystem::path& path, int flags)
      : fd_(::open(path.c_str(), flags, 0644)) {
    if (fd_ < 0) raise(path, "cannot be opened");
  }
  ~descriptor() { ::close(fd_); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, byte_view data, const std::filesystem::path& path) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), std::min<std::size_t>(data.size(), 1u << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) raise(path, "cannot be written");
    data = data.subspan(static_cast<std::size_t>(written));
  }
}

/// Makes an empty file beside `path` under a name that no other file has, and returns the name:
/// what somebody else calls so stays as it is. In containers all processes may have one number.
std::filesystem::path free_name_beside(const std::filesystem::path& path) {
  for (int number = 0; number < 1'000; ++number) {
    auto name = path;
    name += ".part-" + std::to_string(::getpid()) + "-" + std::to_string(number);
    const int made =
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (made >= 0) {
      ::close(made);
      return name;
    }
    if (errno != EEXIST) raise(name, "cannot be opened");
  }
  raise(path, "cannot be written: a thousand unfinished files lie beside it");
}

/// A file that is replaced keeps its permissions: what only its owner could read stays so.
void keep_mode_of(const std::filesystem::path& path, int file) {
  struct stat old {};
  if (::stat(path.c_str(), &old) == 0) (void)::fchmod(file, old.st_mode & 0777);
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, std::span<const byte_view> parts) {
  const auto temporary = free_name_beside(path);
  try {
    {
      const descriptor file(temporary, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
      keep_mode_of(path, file.get());
      for (const auto part : parts) write_all(file.get(), part, temporary);
      if (::fsync(file.get()) != 0) raise(temporary, "cannot be synced");
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) raise(path, "cannot be replaced");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  const auto folder = path.parent_path().empty() ? std::filesystem::path(".") : path.parent_path();
  const descriptor directory(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (::fsync(directory.get()) != 0) raise(folder, "cannot be synced");
}

}  // namespace soma::weights
