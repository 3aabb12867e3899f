#include "deploy/soma/source/default_sources.hpp"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <functional>

#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;
using accepts = std::function<bool(const fs::path&)>;

constexpr std::uint64_t max_walked_files = 20'000;
constexpr std::uint64_t max_kernel_file_bytes = std::uint64_t{64} << 20U;

bool is_readable_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && !error && ::access(path.c_str(), R_OK) == 0;
}

struct walked {
  std::vector<fs::path> files;
  std::vector<fs::path> unreadable;  // files and folders
};

// Regular files below `folder` that pass `wanted`, sorted by path. Symbolic links, and folders that
// `entered` refuses, are skipped.
walked walk_all(const fs::path& folder, const accepts& wanted, const accepts& entered) {
  walked found;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error);
  for (;
       !error && at != fs::recursive_directory_iterator() && found.files.size() < max_walked_files;
       at.increment(error)) {
    std::error_code ignored;
    const auto& path = at->path();
    if (at->is_symlink(ignored)) continue;
    if (at->is_directory(ignored)) {
      const bool is_open = ::access(path.c_str(), R_OK | X_OK) == 0;
      if (!is_open) found.unreadable.push_back(path);
      if (!is_open || !entered(path)) at.disable_recursion_pending();
    } else if (at->is_regular_file(ignored) && wanted(path)) {
      (is_readable_file(path) ? found.files : found.unreadable).push_back(path);
    }
  }
  std::ranges::sort(found.files);
  std::ranges::sort(found.unreadable);
  return found;
}

bool any(const fs::path&) {
  return true;
}

std::vector<fs::path> walk(const fs::path& folder, const accepts& wanted) {
  return walk_all(folder, wanted, any).files;
}

void append(std::vector<fs::path>& files, std::vector<fs::path> more) {
  files.insert(files.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

// Subfolders whose name begins with `prefix`, sorted. They are searched because some paths contain
// the version of a package.
std::vector<fs::path> folders_of(const fs::path& parent, std::string_view prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(parent, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::error_code ignored;
    if (!at->is_directory(ignored)) continue;
    if (at->path().filename().string().starts_with(prefix)) found.push_back(at->path());
  }
  std::ranges::sort(found);
  return found;
}

// libstdc++ and the headers of the libraries that this project is built with.
data_source cxx_headers() {
  data_source source{"c++", {}};
  for (const auto& version : folders_of("/usr/include/c++", "")) {
    append(source.files,
           walk(version / "bits", [](const fs::path& p) { return p.extension() == ".h"; }));
    break;
  }
  append(source.files,
         walk("/usr/include/caf", [](const fs::path& p) { return p.extension() == ".hpp"; }));
  return source;
}

// The manual of CMake, which consists of English sentences (package cmake-data).
data_source english() {
  data_source source{"english", {}};
  for (const auto& version : folders_of("/usr/share", "cmake-")) {
    append(source.files, walk(version / "Help", [](const fs::path& p) {
             std::error_code error;
             return p.extension() == ".rst" && fs::file_size(p, error) > 1500 && !error;
           }));
  }
  return source;
}

// Shared libraries and programs of the compiler, git and OpenSSL.
data_source machine_code() {
  data_source source{"machine code", {}, true};
  for (const auto& folder : folders_of("/usr/lib", "")) {
    if (!folder.filename().string().ends_with("-linux-gnu")) continue;
    for (const auto* name : {"libstdc++.so.6", "libcrypto.so.3", "libc.so.6", "libm.so.6"}) {
      if (is_readable_file(folder / name)) source.files.push_back(folder / name);
    }
  }
  for (const auto* name : {"/usr/lib/git-core/git", "/usr/bin/cmake", "/usr/bin/bash"}) {
    if (is_readable_file(name)) source.files.emplace_back(name);
  }
  return source;
}

// The questions that packages ask when they are installed, in some forty languages (debconf
// templates of base-passwd, debconf, libc6, locales, tzdata, …). Other places for translated text,
// such as /usr/share/locale, are missing on small installations.
data_source multilingual() {
  data_source source{"multilingual", {}};
  append(source.files, walk("/var/lib/dpkg/info", [](const fs::path& p) {
           std::error_code error;
           return p.extension() == ".templates" && fs::file_size(p, error) > 20'000 && !error;
         }));
  return source;
}

template <class Header>
bool read_at(std::ifstream& file, std::uint64_t offset, Header& into) {
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(&into), sizeof into);
  return file.gcount() == static_cast<std::streamsize>(sizeof into);
}

// The offset and the size of the executable segment of a 64-bit little-endian ELF file, or of the
// whole file if it is any other file.
std::pair<std::uint64_t, std::uint64_t> machine_code_range(std::ifstream& file,
                                                           std::uint64_t size) {
  Elf64_Ehdr head{};
  if (!read_at(file, 0, head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_ident[EI_CLASS] != ELFCLASS64 || std::endian::native != std::endian::little ||
      head.e_ident[EI_DATA] != ELFDATA2LSB || head.e_phentsize != sizeof(Elf64_Phdr)) {
    return {0, size};
  }
  for (unsigned i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!read_at(file, head.e_phoff + i * sizeof segment, segment)) break;
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0U) continue;
    if (segment.p_offset >= size) break;
    return {segment.p_offset, std::min<std::uint64_t>(segment.p_filesz, size - segment.p_offset)};
  }
  return {0, size};
}

bytes read_piece(const fs::path& path, bool only_machine_code, std::uint64_t max_bytes) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return {};
  const auto [offset, length] = only_machine_code
                                    ? machine_code_range(file, size)
                                    : std::pair<std::uint64_t, std::uint64_t>{0, size};
  bytes data(std::min(length, max_bytes));
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size()));
  data.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return data;
}

}  // namespace

std::vector<data_source> default_sources() {
  std::vector<data_source> all{cxx_headers(), english(), machine_code(), multilingual()};
  std::erase_if(all, [](const data_source& source) { return source.files.empty(); });
  return all;
}

expected<data_source, failure> source_at(std::string name, const fs::path& path,
                                         const fs::path& home) {
  data_source source{std::move(name), {}};
  const auto what = "cannot use the data " + path.string();
  std::error_code error;
  if (fs::is_directory(path, error)) {
    const auto not_own = [&home](const fs::path& folder) {
      std::error_code ignored;
      return !same_file(folder, home) && !fs::exists(folder / home_lock_name, ignored);
    };
    if (!not_own(path)) {
      return failed(what, "it is a home of soma, with keys and what soma itself has made",
                    "name a folder with your own files");
    }
    const auto is_data = [](const fs::path& file) { return !holds_private_key(file); };
    auto found = walk_all(path, is_data, not_own);
    source.files = std::move(found.files);
    if (!found.unreadable.empty()) {
      note_line("left out of " + path.string() +
                ", since it may not be read: " + found.unreadable[0].string() +
                (found.unreadable.size() == 1
                     ? ""
                     : ", and " + std::to_string(found.unreadable.size() - 1) + " more"));
    }
    if (source.files.empty()) {
      return failed(what,
                    "the folder holds no readable file, and symbolic links in it are not followed",
                    "name a folder with files, or the files themselves");
    }
  } else if (is_readable_file(path)) {
    if (holds_private_key(path)) {
      return failed(what, "it holds a private key, and models give away what they learn from",
                    "name other data");
    }
    source.files.push_back(path);
    source.is_named_file = true;
  } else {
    const auto* why = fs::exists(path, error) ? "it is not a file or folder that can be read"
                                              : "there is no such file or folder";
    return failed(what, why, "name a readable file or folder");
  }
  return source;
}

expected<data_source, failure> parse_source(std::string_view text, const fs::path& home) {
  const auto equals = text.find('=');
  const auto path = expanded(equals == std::string_view::npos ? text : text.substr(equals + 1));
  auto name = equals == std::string_view::npos ? path.filename().string()
                                               : std::string(text.substr(0, equals));
  if (name.empty() && equals == std::string_view::npos)
    name = path.parent_path().filename().string();
  if (name.empty() || path.empty()) {
    return wrong_usage("cannot use the data source " + std::string(text),
                       "a name or a path is missing", "write NAME=PATH");
  }
  return source_at(std::move(name), path, home);
}

std::vector<source_piece> load_source(const data_source& source, std::uint64_t max_bytes,
                                      std::uint64_t max_file_bytes) {
  std::vector<source_piece> pieces;
  std::uint64_t left = max_bytes;
  for (const auto& file : source.files) {
    if (left == 0) break;
    const auto most = std::min(left, max_file_bytes);
    auto data = read_piece(file, source.only_machine_code, most);
    if (data.empty() && source.is_named_file) {
      if (auto content = read_named_file(file, max_kernel_file_bytes, "the data")) {
        data = std::move(*content);
        data.resize(static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), most)));
      }
    }
    if (data.empty()) continue;
    left -= data.size();
    pieces.push_back({file, std::move(data)});
  }
  return pieces;
}

}  // namespace soma::cli
