#include "tests/lint/layers.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <span>

namespace soma::lint {
namespace {

using names = std::span<const std::string_view>;

bool is_under(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

bool is_under_any(std::string_view path, names folders) {
  return std::ranges::any_of(folders, [&](std::string_view f) { return is_under(path, f); });
}

// The directions that ARCHITECTURE.md states. The first zone that holds the file decides. A zone
// always sees itself.
struct zone {
  std::string_view folder;
  std::vector<std::string_view> sees;
};

const std::vector<zone>& zones() {
  static const std::vector<zone> all{
      {"messages/values", {"messages/values"}},
      {"messages/wire", {"messages/wire", "messages/schema", "messages/values"}},
      {"messages/crypto", {"messages/crypto", "messages/wire", "messages/values"}},
      {"messages/codec",
       {"messages/codec", "messages/crypto", "messages/wire", "messages/schema",
        "messages/values"}},
      {"messages/signing",
       {"messages/signing", "messages/codec", "messages/crypto", "messages/wire",
        "messages/values"}},
      {"model/tokens", {"model/tokens", "messages/values"}},
      {"model/noise", {"model/noise", "messages/values"}},
      {"model/mixture", {"model/mixture", "messages/values"}},
      {"model/weights", {"model/weights", "model/noise", "messages"}},
      {"model/simd", {"model/simd", "messages/values"}},
      {"model/exact",
       {"model/exact", "model/simd", "model/noise", "model/tokens", "messages/values"}},
      {"model/scoring",
       {"model/scoring", "model/exact", "model/simd", "model/weights", "model/tokens", "messages"}},
      {"model/training",
       {"model/training", "model/simd", "model/weights", "model/noise", "model/tokens",
        "messages"}},
      {"model/reference",
       {"model/reference", "model/scoring", "model/training", "model/exact", "model/weights",
        "model/noise", "model/tokens", "messages"}},
      {"storage/files", {"storage/files", "messages/values"}},
      {"storage/journal", {"storage/journal", "storage/files", "messages/wire", "messages/values"}},
      {"storage/lmdb",
       {"storage/lmdb", "storage/journal", "storage/files", "messages/wire", "messages/values"}},
      {"storage", {"storage", "messages"}},
      {"actors/ledger", {"actors/ledger", "messages"}},
      {"actors/state_tree", {"actors/state_tree", "messages"}},
      {"actors/rules", {"actors/rules", "actors/ledger", "messages"}},
      {"actors/consensus", {"actors/consensus", "messages"}},
      {"actors/simulation", {"actors/simulation", "actors/consensus", "messages"}},
      {"actors/execution",
       {"actors/execution", "actors/rules", "actors/ledger", "actors/state_tree",
        "actors/consensus", "messages", "storage"}},
      {"actors/state_sync",
       {"actors/state_sync", "actors/execution", "actors/rules", "actors/ledger",
        "actors/state_tree", "actors/consensus", "messages", "storage"}},
      {"actors/explain",
       {"actors/explain", "actors/rules", "actors/ledger", "actors/state_tree", "messages",
        "storage"}},
      {"actors/documents", {"actors/documents", "actors/explain", "messages", "storage"}},
      {"actors/public_answers",
       {"actors/public_answers", "actors/explain", "actors/state_tree", "messages", "storage"}},
      {"actors/gateway_client",
       {"actors/gateway_client", "actors/http", "actors/rules", "actors/ledger",
        "actors/state_tree", "actors/consensus", "messages"}},
      {"actors/http", {"actors/http", "storage/files", "messages"}},
      {"actors/mesh", {"actors/mesh", "messages"}},
      {"actors/blob_exchange", {"actors/blob_exchange", "messages"}},
      {"actors", {"actors", "messages", "model", "storage"}},
      {"deploy", {"deploy", "actors", "messages", "model", "storage"}},
      {"tests", {"tests", "deploy", "actors", "messages", "model", "storage"}},
  };
  return all;
}

constexpr std::array<std::string_view, 6> our_folders{"messages", "model",  "storage",
                                                      "actors",   "deploy", "tests"};

// A family of headers and the folders that may include it. `never_below` names parts of these
// folders that may not.
struct family {
  std::string_view name;
  std::vector<std::string_view> prefixes;
  std::vector<std::string_view> allowed;
  std::vector<std::string_view> never_below;
};

const std::vector<family>& families() {
  static const std::vector<family> all{
      {"Cap'n Proto", {"capnp/", "kj/"}, {"messages/wire", "messages/codec", "tests/messages"}, {}},
      {"OpenSSL", {"openssl/"}, {"messages/crypto"}, {}},
      {"LMDB", {"lmdb.h"}, {"storage/lmdb", "tests/storage"}, {}},
      {"libtorch", {"torch/", "ATen/", "c10/"}, {"model/reference"}, {}},
      {"CAF",
       {"caf/"},
       {"actors", "deploy", "tests"},
       {"actors/rules", "actors/ledger", "actors/state_tree", "actors/consensus",
        "actors/simulation", "actors/execution", "actors/state_sync", "actors/replay",
        "actors/explain", "actors/http", "actors/mesh", "actors/blob_exchange",
        "actors/public_answers", "actors/gateway_client"}},
      {"Boost.Asio", {"boost/asio"}, {"actors/http", "actors/mesh"}, {}},
      {"Boost.Beast", {"boost/beast"}, {"actors/http"}, {}},
      {"Boost.JSON", {"boost/json"}, {"messages/json"}, {}},
      {"CLI11", {"CLI/"}, {"deploy"}, {}},
      {"toml++", {"toml++/"}, {"deploy"}, {}},
      {"spdlog", {"spdlog/"}, {"deploy"}, {}},
      {"doctest", {"doctest/"}, {"tests"}, {}},
      {"RapidCheck", {"rapidcheck"}, {"tests"}, {}},
      {"Google Benchmark", {"benchmark/"}, {"tests"}, {}},
      {"tl::expected", {"tl/"}, {"messages/values"}, {}},
  };
  return all;
}

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash));
}

// Schemas are generated below messages/schema, and role code reads messages through them.
bool is_schema_header(std::string_view included) {
  return included.starts_with("messages/schema/") && included.ends_with(".capnp.h");
}

// The path in an #include line; empty for any other line.
std::string_view included_by(std::string_view line) {
  const auto skip_blanks = [&] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip_blanks();
  if (!line.starts_with('#')) return {};
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return {};
  line.remove_prefix(7);
  skip_blanks();
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return {};
  const auto end = line.find(line.front() == '"' ? '"' : '>', 1);
  return end == std::string_view::npos ? std::string_view{} : line.substr(1, end - 1);
}

std::string check_direction(std::string_view path, std::string_view included) {
  const auto is_ours =
      std::ranges::any_of(our_folders, [&](auto f) { return is_under(included, f); });
  if (!is_ours) return {};
  for (const auto& zone : zones()) {
    if (!is_under(path, zone.folder)) continue;
    if (is_schema_header(included) &&
        !is_under_any(path,
                      std::array<std::string_view, 4>{"messages", "actors", "deploy", "tests"})) {
      return std::string(zone.folder) + " may not include a generated schema header";
    }
    if (is_under_any(included, zone.sees)) return {};
    return std::string(zone.folder) + " may not include " + folder_of(included);
  }
  return {};
}

std::string check_family(std::string_view path, std::string_view included) {
  for (const auto& family : families()) {
    const auto is_member = std::ranges::any_of(family.prefixes, [&](auto prefix) {
      return prefix.ends_with('/') || prefix.ends_with(".h")
                 ? included.starts_with(prefix)
                 : included == prefix || included.starts_with(std::string(prefix) + "/") ||
                       included.starts_with(std::string(prefix) + ".");
    });
    if (!is_member) continue;
    if (is_under_any(path, family.allowed) && !is_under_any(path, family.never_below)) return {};
    std::string doors;
    for (const auto& folder : family.allowed)
      doors += (doors.empty() ? "" : ", ") + std::string(folder);
    return std::string(family.name) + " headers belong to " + doors + " only";
  }
  return {};
}

template <class Visit>
void for_each_line(std::string_view text, const Visit& visit) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    visit(number, text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

// Counts columns as a reader sees them, so UTF-8 continuation bytes do not count.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(
      std::ranges::count_if(line, [](unsigned char c) { return (c & 0xc0U) != 0x80U; }));
}

bool has_word(std::string_view line, std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !is_letter(line[at - 1])) && (end == line.size() || !is_letter(line[end]))) {
      return true;
    }
  }
  return false;
}

// clang-format keeps code within 100 columns. The comments of a schema are prose beside a field.
constexpr std::size_t max_columns = 100;
constexpr std::size_t max_schema_columns = 120;
constexpr std::size_t max_lines = 400;

}  // namespace

std::vector<finding> check_includes(std::string_view path, std::string_view text) {
  std::vector<finding> found;
  for_each_line(text, [&](std::size_t number, std::string_view line) {
    const auto included = included_by(line);
    if (included.empty()) return;
    if (included.starts_with("../") || included.starts_with("./")) {
      found.push_back({std::string(path), number, "includes count from the root of the tree"});
    }
    for (auto& what : {check_direction(path, included), check_family(path, included)}) {
      if (!what.empty()) found.push_back({std::string(path), number, what});
    }
  });
  return found;
}

std::vector<finding> check_shape(std::string_view path, std::string_view text) {
  // The word is written in two halves, or this check would find its own source.
  static const std::array<std::string, 4> unfinished{
      "TO"
      "DO",
      "FIX"
      "ME",
      "XX"
      "X",
      "HA"
      "CK"};
  std::vector<finding> found;
  const auto add = [&](std::size_t line, std::string what) {
    found.push_back({std::string(path), line, std::move(what)});
  };
  const auto allowed_columns = path.ends_with(".capnp") ? max_schema_columns : max_columns;
  std::size_t lines = 0;
  for_each_line(text, [&](std::size_t number, std::string_view line) {
    lines = number;
    for (const auto& word : unfinished) {
      if (has_word(line, word)) add(number, word + ": finish it or say it in an issue");
    }
    if (line.find('\t') != std::string_view::npos) add(number, "a tab");
    if (line.ends_with(' ') || line.ends_with('\r')) add(number, "a blank at the end of the line");
    if (columns(line) > allowed_columns && line.find("://") == std::string_view::npos) {
      add(number, std::to_string(columns(line)) + " columns, " + std::to_string(allowed_columns) +
                      " are allowed");
    }
  });
  if (!text.empty() && text.back() != '\n') add(lines, "no newline at the end");
  if (lines > max_lines && !is_under(path, "tests")) {
    add(lines, std::to_string(lines) + " lines, 400 are allowed: split the file");
  }
  return found;
}

std::vector<finding> check_tree(const std::filesystem::path& root, check run) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  for (const auto folder : our_folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (!entry.is_regular_file()) continue;
      if (extension == ".hpp" || extension == ".cpp" || extension == ".capnp") {
        paths.push_back(fs::relative(entry.path(), root).generic_string());
      }
    }
  }
  std::ranges::sort(paths);
  std::vector<finding> all;
  for (const auto& path : paths) {
    std::ifstream file(root / path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    auto found = run(path, text);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

}  // namespace soma::lint
