#include "tests/lint/law.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

namespace soma::lint {
namespace {

constexpr std::string_view exceptions_path = "tests/lint/exceptions.txt";

struct exception_line {
  std::size_t number = 0;
  std::string rule, path, value;
  mutable bool used = false;
};

class exception_list {
 public:
  explicit exception_list(std::string_view text) {
    std::istringstream lines{std::string(text)};
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
      if (line.empty() || line.front() == '#') continue;
      std::istringstream words(line);
      if (line.starts_with("at most ")) {
        words.ignore(8) >> most_;
        continue;
      }
      exception_line e;
      e.number = number;
      words >> e.rule >> e.path >> e.value;
      all_.push_back(std::move(e));
    }
  }

  /// The value of the exception for `path`. The exception counts as needed from then on.
  [[nodiscard]] std::optional<std::string> find(std::string_view rule,
                                                std::string_view path) const {
    for (const auto& e : all_) {
      if (e.rule != rule || e.path != path) continue;
      e.used = true;
      return e.value;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool allows(std::string_view rule, std::string_view path,
                            std::string_view value) const {
    for (const auto& e : all_) {
      if (e.rule != rule || e.path != path || e.value != value) continue;
      e.used = true;
      return true;
    }
    return false;
  }

  void report(std::vector<finding>& found) const {
    if (all_.size() != most_) {
      found.push_back({std::string(exceptions_path), 1,
                       std::to_string(all_.size()) + " exceptions, the first line says " +
                           std::to_string(most_) + ": the list only shrinks"});
    }
    for (const auto& e : all_) {
      if (!e.used) {
        found.push_back({std::string(exceptions_path), e.number,
                         e.rule + ' ' + e.path + ": nothing needs this exception any more"});
      }
    }
  }

 private:
  std::size_t most_ = 0;
  std::vector<exception_line> all_;
};

struct path_parts {
  std::string folder, file, stem, extension;
};

path_parts parts_of(std::string_view path) {
  const std::filesystem::path p(path);
  return {p.parent_path().generic_string(), p.filename().string(), p.stem().string(),
          p.extension().string()};
}

bool is_source(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".hpp") || path.ends_with(".capnp");
}
bool is_code(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".hpp");
}
bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}
bool is_product(std::string_view path) {
  return is_below(path, "messages") || is_below(path, "model") || is_below(path, "storage") ||
         is_below(path, "actors") || is_below(path, "deploy/soma");
}

/// The names of a folder's library and of its files' namespace. The program's folders share one
/// namespace, because they are one program that no other code includes.
struct names {
  std::string target, space;
};
names names_of(std::string_view folder) {
  const std::string last = std::filesystem::path(folder).filename().string();
  if (folder == "deploy/soma") return {"", "cli"};
  if (is_below(folder, "deploy/soma")) return {"cli_" + last, "cli"};
  return {last, last};
}

/// The names after `word` at the beginning of a line, up to the first character of `ends`, with
/// their line numbers.
std::vector<std::pair<std::size_t, std::string>> lines_with(std::string_view text,
                                                            std::string_view word,
                                                            std::string_view ends) {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    if (line.starts_with(word)) {
      auto rest = line.substr(word.size());
      rest = rest.substr(0, rest.find_first_of(ends));
      found.emplace_back(number, std::string(rest));
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return found;
}

class law {
 public:
  law(const source_tree& tree, const exception_list& exceptions)
      : tree_(tree), exceptions_(exceptions) {}

  std::vector<finding> run() {
    std::map<std::string, std::size_t> folders;
    for (const auto& [path, text] : tree_) {
      if (!is_source(path)) continue;
      const auto parts = parts_of(path);
      if (is_product(path) || is_below(path, "tests")) ++folders[parts.folder];
      if (!is_code(path)) continue;
      if (is_product(path)) check_namespace(path, text);
      if (is_product(path) && path.ends_with(".cpp")) check_is_tested(path);
      if (is_below(path, "tests") && path.ends_with("_test.cpp")) check_is_mirror(path);
    }
    for (const auto& [folder, files] : folders) {
      check_size(folder, files);
      if (is_product(folder)) check_library(folder);
    }
    exceptions_.report(found_);
    return std::move(found_);
  }

 private:
  void add(std::string_view path, std::size_t line, std::string why) {
    found_.push_back({std::string(path), line, std::move(why)});
  }

  void check_size(const std::string& folder, std::size_t files) {
    if (files <= max_folder_files) return;
    const auto most = exceptions_.find("files", folder);
    if (most && files <= std::stoul("0" + *most)) return;
    add(folder, 0,
        std::to_string(files) + " sources, " + (most ? *most : std::to_string(max_folder_files)) +
            " are allowed: a folder that has outgrown its purpose is divided");
  }

  void check_library(const std::string& folder) {
    // messages/wire compiles the schemas, and the program itself is not a library.
    if (folder == "messages/schema" || folder == "deploy/soma") return;
    if (exceptions_.find("library", folder)) return;
    const auto list = tree_.find(folder + "/CMakeLists.txt");
    if (list == tree_.end()) return add(folder, 0, "no CMakeLists.txt that builds its library");
    const auto made = lines_with(list->second, "soma_library(", " )\r");
    const auto wanted = names_of(folder).target;
    if (made.size() != 1 || made.front().second != wanted) {
      std::string all;
      for (const auto& [line, name] : made) all += (all.empty() ? "" : ", ") + name;
      add(list->first, made.empty() ? 1 : made.front().first,
          "the folder builds " + (all.empty() ? "no library" : all) + " and shall build " + wanted +
              " alone");
    }
  }

  /// The folder whose library and namespace a file belongs to: its own, or one above it.
  [[nodiscard]] std::string home_of(std::string folder) const {
    while (exceptions_.find("library", folder)) {
      folder = std::filesystem::path(folder).parent_path().generic_string();
    }
    return folder;
  }

  void check_namespace(const std::string& path, const std::string& text) {
    const auto wanted = names_of(home_of(parts_of(path).folder)).space;
    for (const auto& [line, opened] : lines_with(text, "namespace soma", " {\r")) {
      auto name = opened.starts_with("::") ? opened.substr(2) : opened;
      // "inline" stands as a word of its own before the name of an inline namespace.
      if (name == "inline") name = inline_name(text, line);
      const auto first = name.substr(0, name.find("::"));
      if (first == wanted || exceptions_.allows("namespace", path, name.empty() ? "." : name)) {
        continue;
      }
      add(path, line,
          "namespace soma" + (name.empty() ? "" : "::" + name) + ", soma::" + wanted +
              " is the namespace of this folder");
    }
  }

  static std::string inline_name(std::string_view text, std::size_t line) {
    for (std::size_t n = 1; n < line; ++n) text.remove_prefix(text.find('\n') + 1);
    text.remove_prefix(std::string_view("namespace soma::inline ").size());
    return std::string(text.substr(0, text.find_first_of(" {\n")));
  }

  /// Checks that tests/PATH holds x_test.cpp, or that an exception names the test that covers it.
  void check_is_tested(const std::string& path) {
    const auto parts = parts_of(path);
    const auto mirror = "tests/" + parts.folder + '/' + parts.stem + "_test.cpp";
    if (tree_.contains(mirror)) return;
    const auto covered = exceptions_.find("untested", path);
    if (!covered)
      return add(path, 0, "no " + mirror + ", and no exception that names another test");
    if (!tree_.contains(*covered))
      add(path, 0, "the test that covers it is not there: " + *covered);
  }

  /// Checks that a test below the five folders of the product has the name of a source.
  void check_is_mirror(const std::string& path) {
    const auto parts = parts_of(path);
    const auto folder = parts.folder.substr(std::string_view("tests/").size());
    if (!is_product(folder + "/x")) return;
    const auto source = folder + '/' + parts.stem.substr(0, parts.stem.size() - 5);
    if (tree_.contains(source + ".cpp") || tree_.contains(source + ".hpp")) return;
    if (!exceptions_.find("unmirrored", path)) {
      add(path, 0, "there is no " + source + ".cpp or .hpp that it tests");
    }
  }

  const source_tree& tree_;
  const exception_list& exceptions_;
  std::vector<finding> found_;
};

}  // namespace

source_tree read_tree(const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  source_tree tree;
  for (const auto folder : {"messages", "model", "storage", "actors", "deploy", "tests"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto path = fs::relative(entry.path(), root).generic_string();
      if (!entry.is_regular_file()) continue;
      if (!is_source(path) && !path.ends_with("CMakeLists.txt") && path != exceptions_path)
        continue;
      std::ifstream file(entry.path(), std::ios::binary);
      tree.emplace(path, std::string{std::istreambuf_iterator<char>(file), {}});
    }
  }
  return tree;
}

std::vector<finding> check_law(const source_tree& tree, std::string_view exceptions) {
  const exception_list list(exceptions);
  return law(tree, list).run();
}

}  // namespace soma::lint
