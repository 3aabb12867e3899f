#include "deploy/soma/shell/files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "deploy/soma/shell/units.hpp"

namespace soma::cli {
namespace fs = std::filesystem;

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
  if (size > max_bytes) {
    return failed(what,
                  "it has " + to_text(byte_count{size}) + ", but at most " +
                      to_text(byte_count{max_bytes}) + " are allowed",
                  "name a smaller file");
  }
  return size;
}

expected<bytes, failure> read_named_file(const fs::path& path, std::uint64_t max_bytes,
                                         std::string_view what_for) {
  const auto size = size_of_named_file(path, max_bytes, what_for);
  if (!size) return make_unexpected(size.error());
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  bytes data(*size);
  file.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(*size));
  if (!file || file.gcount() != static_cast<std::streamsize>(*size)) {
    return failed(
        "cannot read " + std::string(what_for) + " " + path.string(),
        errno != 0 ? std::generic_category().message(errno) : "it changed while it was read",
        "name a readable file");
  }
  return data;
}

outcome check_new_file(const fs::path& path, bool may_replace) {
  const auto what = "cannot write " + path.string();
  std::error_code error;
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (path.filename().empty() || fs::is_directory(path, error)) {
    return failed(what, "it is a folder", "name a file");
  }
  if (!fs::is_directory(folder, error)) {
    return failed(what, "there is no folder " + folder.string(), "make the folder first");
  }
  if (!may_replace && fs::exists(path, error)) {
    return failed(what, "it exists", "name another file, or add --force");
  }
  return {};
}

}  // namespace soma::cli
