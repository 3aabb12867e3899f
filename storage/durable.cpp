#include "storage/durable.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace soma::storage {
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

}  // namespace soma::storage
