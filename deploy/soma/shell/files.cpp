#include "deploy/soma/shell/files.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/shell/verb.hpp"

namespace soma::cli {
namespace fs = std::filesystem;

bool holds_private_key(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  std::array<char, 64> start{};
  file.read(start.data(), start.size());
  const std::string_view text(start.data(), static_cast<std::size_t>(file.gcount()));
  return text.starts_with("-----BEGIN ") && text.find("PRIVATE KEY") != text.npos;
}

fs::path home_of_user() {
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return home;
  std::array<char, 16'384> text{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, text.data(), text.size(), &found) == 0 && found != nullptr) {
    return found->pw_dir;
  }
  return ".";
}

fs::path expanded(const fs::path& path) {
  const auto text = path.string();
  if (text == "~") return home_of_user();
  return text.starts_with("~/") ? home_of_user() / text.substr(2) : path;
}

fs::path path_beside(const fs::path& file, const std::string& named) {
  return (fs::absolute(file).parent_path() / expanded(named)).lexically_normal();
}

namespace {

unexpected<failure> too_large(const std::string& what, std::uint64_t max_bytes) {
  return failed(what, "it has more than " + to_text(byte_count{max_bytes}), "name a smaller file");
}

/// A file that is closed at the end of a block.
struct open_file {
  int descriptor;
  explicit open_file(int opened) : descriptor(opened) {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

/// Appends what the file holds, up to `max_bytes` and one more. Returns errno, or 0.
int read_to_end(int file, std::uint64_t max_bytes, bytes& into) {
  for (;;) {
    constexpr std::size_t piece_bytes = std::size_t{1} << 20U;
    const auto have = into.size();
    if (have > max_bytes) return 0;
    const auto wanted = std::min<std::uint64_t>(piece_bytes, max_bytes + 1 - have);
    into.resize(have + static_cast<std::size_t>(wanted));
    const auto got = ::read(file, into.data() + have, static_cast<std::size_t>(wanted));
    into.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return 0;
    if (got < 0 && errno != EINTR) return errno;
  }
}

}  // namespace

expected<std::uint64_t, failure> size_of_named_file(const fs::path& path, std::uint64_t max_bytes,
                                                    std::string_view what_for) {
  const auto what = "cannot read " + std::string(what_for) + " " + path.string();
  const auto* remedy = "name a readable file";
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found)
    return failed(what, "there is no such file", remedy);
  if (error) return failed(what, error.message(), remedy);
  if (!fs::is_regular_file(status)) return failed(what, "it is not a regular file", remedy);
  const std::uint64_t size = fs::file_size(path, error);
  if (error) return failed(what, error.message(), remedy);
  if (size > max_bytes) return too_large(what, max_bytes);
  if (size > 0) return size;
  // Files of the kernel, such as those in /proc, have a size of 0 and a content all the same.
  const auto content = read_named_file(path, max_bytes, what_for);
  if (!content) return make_unexpected(content.error());
  return content->size();
}

expected<bytes, failure> read_named_file(const fs::path& path, std::uint64_t max_bytes,
                                         std::string_view what_for) {
  const auto what = "cannot read " + std::string(what_for) + " " + path.string();
  const auto refused = [&](const std::string& why) {
    return failed(what, why, "name a readable file");
  };
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const open_file file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.descriptor < 0) {
    return refused(errno == ENOENT ? "there is no such file"
                                   : std::generic_category().message(errno));
  }
  struct stat before {
  }, after{};
  if (::fstat(file.descriptor, &before) != 0) {
    return refused(std::generic_category().message(errno));
  }
  if (!S_ISREG(before.st_mode)) return refused("it is not a regular file");
  const auto size = static_cast<std::uint64_t>(before.st_size);
  if (size > max_bytes) return too_large(what, max_bytes);
  bytes data;
  data.reserve(static_cast<std::size_t>(size) + 1);
  // It is read to its end, whatever its size says: files of the kernel say 0 or a whole page.
  if (const int error = read_to_end(file.descriptor, max_bytes, data); error != 0) {
    return refused(std::generic_category().message(error));
  }
  if (data.size() > max_bytes) return too_large(what, max_bytes);
  const bool is_same = ::fstat(file.descriptor, &after) == 0 && after.st_size == before.st_size &&
                       after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
                       after.st_mtim.tv_nsec == before.st_mtim.tv_nsec;
  if (!is_same) return refused("it changed while it was read");
  return data;
}

/// 255, the limit of file systems, less what write_named_file() and the writer of weights add to a
/// name.
constexpr std::size_t max_new_name_bytes = 224;

namespace {

/// True for a name that soma gives to what it keeps in a folder with a ledger, such as the home of
/// a node or a local network.
bool is_name_of_soma(const std::string& name) {
  static constexpr std::array<std::string_view, 9> names{
      "ledger", "keys",        "publications", "snapshots", "tls",
      "votes",  "genesis.bin", "index.toml",   "node.toml"};
  return std::ranges::find(names, name) != names.end() || name.starts_with("blobs");
}

/// True if the file belongs to soma: a lock, a key or a publication of the home, or what it keeps
/// beside a ledger and in it.
bool is_kept_by_soma(const fs::path& home, const fs::path& path) {
  std::error_code ignored;
  const auto whole = fs::weakly_canonical(fs::absolute(path, ignored), ignored);
  if (whole.extension() == ".lock" || whole.filename() == "lock.mdb") return true;
  int levels = 4;  // blobs lie two folders below a home
  for (auto inner = whole; inner.has_relative_path() && levels > 0; --levels) {
    const auto folder = inner.parent_path();
    const bool is_home = same_file(folder, home) ||
                         fs::exists(folder / "ledger" / "data.mdb", ignored) ||
                         fs::exists(folder / home_lock_name, ignored);
    if (is_home && is_name_of_soma(inner.filename().string())) return true;
    inner = folder;
  }
  return false;
}

}  // namespace

outcome check_new_file(const run_context& context, const fs::path& path, bool may_replace) {
  const auto what = "cannot write " + path.string();
  std::error_code error;
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (path.filename().empty() || fs::is_directory(path, error)) {
    return failed(what, "it is a folder", "name a file");
  }
  // The file is written beside under a longer name, which has to fit the file system too.
  if (path.filename().string().size() > max_new_name_bytes) {
    return failed(what, "its name is longer than " + std::to_string(max_new_name_bytes) + " bytes",
                  "choose a shorter name");
  }
  if (!fs::is_directory(folder, error)) {
    return failed(what, "there is no folder " + folder.string(), "make the folder first");
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return failed(what, "the folder: " + std::generic_category().message(errno),
                  "name a file in a folder that you may write to");
  }
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) {
    if (!fs::is_symlink(fs::symlink_status(path, error))) return {};
    return failed(what, "it is a link to a file that is not there", "name the file itself");
  }
  if (!fs::is_regular_file(status)) {
    return failed(what, "it is not a regular file", "name another file");
  }
  if (!may_replace) {
    return named(failure_names::exists,
                 failed(what, "it exists", "name another file, or add --force"));
  }
  if (!context.config_path.empty() && same_file(path, context.config_path)) {
    return wrong_usage(what, "it is the configuration of this command", "name another file");
  }
  if (is_kept_by_soma(context.home, path)) {
    return failed(what, "soma keeps it: it is a key, a lock or a part of a ledger's folder",
                  "name another file");
  }
  if (holds_private_key(path)) {
    return failed(what, "it holds a private key, which would be lost", "name another file");
  }
  return {};
}

outcome write_named_file(const fs::path& path, byte_view content, bool may_replace, unsigned mode) {
  const auto refused = [&path](int error) {
    return failed("cannot write " + path.string(), std::generic_category().message(error),
                  "name another file, or make room");
  };
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  fs::path beside;
  int fd = -1;
  // A name that no other file has: what somebody else calls so stays as it is.
  for (int number = 0; number < 1'000 && fd < 0; ++number) {
    beside = folder / ("." + path.filename().string() + ".part-" + std::to_string(::getpid()) +
                       "-" + std::to_string(number));
    fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0 && errno != EEXIST) return refused(errno);
  }
  if (fd < 0) return refused(EEXIST);
  // A file that is replaced keeps its permissions: what only its owner could read stays so.
  struct stat old {};
  if (may_replace && ::stat(path.c_str(), &old) == 0) (void)::fchmod(fd, old.st_mode & mode);
  int error = 0;
  while (!content.empty() && error == 0) {
    const auto written = ::write(fd, content.data(), content.size());
    if (written >= 0) {
      content = content.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0) {
    // link() refuses in one step if the name is taken meanwhile.
    const int named =
        may_replace ? ::rename(beside.c_str(), path.c_str()) : ::link(beside.c_str(), path.c_str());
    if (named != 0) error = errno;
  }
  if (error != 0 || !may_replace) ::unlink(beside.c_str());
  if (error != 0) return refused(error);
  const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_durable = opened >= 0 && ::fsync(opened) == 0;
  const int why = errno;
  if (opened >= 0) ::close(opened);
  if (!is_durable) return refused(why);
  return {};
}

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const auto place = [](const fs::path& path) {
    std::error_code ignored;
    const auto whole = fs::weakly_canonical(fs::absolute(path, ignored), ignored);
    return ignored ? fs::absolute(path).lexically_normal() : whole;
  };
  return place(a) == place(b);
}

outcome check_distinct(std::span<const named_path> written, std::span<const named_path> read) {
  const auto refused = [](const named_path& a, const named_path& b) {
    return wrong_usage(a.name + " and " + b.name, "both are the file " + a.path.string(),
                       "name two files: one of them would be lost");
  };
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i].path.empty()) continue;
    for (const auto& other : written.subspan(i + 1)) {
      if (!other.path.empty() && same_file(written[i].path, other.path)) {
        return refused(written[i], other);
      }
    }
    for (const auto& other : read) {
      if (!other.path.empty() && same_file(written[i].path, other.path)) {
        return refused(written[i], other);
      }
    }
  }
  return {};
}

}  // namespace soma::cli
