#include "storage/files/durable.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace soma::files {
namespace {

[[noreturn]] void fail(int error, const char* doing, const std::filesystem::path& at) {
  throw std::system_error(error, std::generic_category(), std::string(doing) + " " + at.string());
}

}  // namespace

void sync_directory(const std::filesystem::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail(errno, "open", directory);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0) fail(error, "fsync", directory);
}

void create_directories_durably(const std::filesystem::path& directory) {
  if (directory.empty() || std::filesystem::exists(directory)) return;
  const auto parent = std::filesystem::absolute(directory).parent_path();
  create_directories_durably(parent);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fail(errno, "mkdir", directory);
  sync_directory(parent);
}

void write_durably(const std::filesystem::path& file, byte_view data) {
  auto beside = file;
  beside += ".part";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail(errno, "open", beside);
  int error = 0;
  while (!data.empty() && error == 0) {
    const auto written = ::write(fd, data.data(), data.size());
    if (written < 0) {
      error = errno == EINTR ? 0 : errno;
    } else {
      data = data.subspan(static_cast<std::size_t>(written));
    }
  }
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  ::close(fd);
  if (error != 0) fail(error, "write", beside);
  if (::rename(beside.c_str(), file.c_str()) != 0) fail(errno, "rename", beside);
}

void replace_directory(const std::filesystem::path& made, const std::filesystem::path& place) {
  const unsigned how = std::filesystem::exists(place) ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, place.c_str(), how) != 0) {
    fail(errno, "rename", made);
  }
  sync_directory(std::filesystem::absolute(place).parent_path());
}

}  // namespace soma::files
