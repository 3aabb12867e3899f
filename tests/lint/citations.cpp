#include "tests/lint/citations.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>

namespace soma::lint {
namespace {

constexpr std::string_view sign = "§";

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || c == '_' || std::isalpha(static_cast<unsigned char>(c)) != 0;
}

// A file as one line of text, so that a citation may continue on the next line. `line_at` gives the
// number of the original line.
struct flat_text {
  std::string text;
  std::vector<std::size_t> starts;  // where each line begins in `text`

  [[nodiscard]] std::size_t line_at(std::size_t at) const {
    return static_cast<std::size_t>(std::ranges::upper_bound(starts, at) - starts.begin());
  }
};

// Replaces code spans by blanks, because they hold examples and not citations.
std::string without_code(std::string_view line, bool& fenced) {
  if (line.starts_with("```")) {
    fenced = !fenced;
    return {};
  }
  if (fenced) return {};
  std::string out;
  bool in_span = false;
  for (const char c : line) {
    if (c == '`') in_span = !in_span;
    out += in_span || c == '`' ? ' ' : c;
  }
  return out;
}

// Removes what begins a line and is not part of a sentence: blanks, comment marks, an opening
// quote.
std::string_view without_marks(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t/#*"), line.size()));
  if (line.starts_with('"')) line.remove_prefix(1);
  return line;
}

flat_text flattened(const text_file& file) {
  const bool is_markdown = file.path.ends_with(".md");
  flat_text flat;
  bool fenced = false;
  std::string_view rest = file.text;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    while (!flat.text.empty() && (flat.text.back() == ' ' || flat.text.back() == '"')) {
      flat.text.pop_back();
    }
    flat.starts.push_back(flat.text.size());
    flat.text += ' ';
    flat.text += is_markdown ? without_code(line, fenced) : std::string(without_marks(line));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return flat;
}

// "8", "8.1" or "8.1.3"; empty if there is no number. A full stop after the number is not part of
// it.
std::string number_at(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  while (end > at && end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
    ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
  }
  return std::string(text.substr(at, end - at));
}

// "R5", if the letter is one of `letters` and no other word character stands beside it.
std::string letter_number_at(std::string_view text, std::size_t at, std::string_view letters) {
  if (at >= text.size() || letters.find(text[at]) == std::string_view::npos) return {};
  if (at > 0 && is_word(text[at - 1])) return {};
  const auto number = number_at(text, at + 1);
  const auto end = at + 1 + number.size();
  if (number.empty() || (end < text.size() && is_word(text[end]))) return {};
  return text[at] + number;
}

struct cited_number {
  std::string number;
  std::size_t at = 0;
};

// What stands between two numbers of a list. Its size is 0 where the list ends.
struct separator {
  std::size_t size = 0;
  bool is_range = false;
};
separator separator_at(std::string_view text, std::size_t at) {
  struct form {
    std::string_view text;
    bool is_range;
  };
  constexpr form forms[] = {{", and ", false}, {", ", false}, {" and ", false},
                            {" to ", true},    {"-", true},   {"–", true}};
  for (const auto& form : forms) {
    if (text.substr(at).starts_with(form.text)) return {form.text.size(), form.is_range};
  }
  return {};
}

// Cuts "8.3" into "8." and 3: the part before the last number, and the last number.
std::pair<std::string, unsigned long> cut_last(const std::string& number) {
  const auto dot = number.rfind('.');
  const auto from = dot == std::string::npos ? 0 : dot + 1;
  return {number.substr(0, from), std::stoul(number.substr(from))};
}

// All numbers after `first` up to `last`; empty if the two are no range.
std::vector<std::string> range_after(const std::string& first, const std::string& last) {
  const auto [stem, from] = cut_last(first);
  const auto [other_stem, to] = cut_last(last);
  std::vector<std::string> all;
  if (stem != other_stem || to <= from || to - from > 99) return all;
  for (auto i = from + 1; i <= to; ++i) all.push_back(stem + std::to_string(i));
  return all;
}

// The numbers of the list that begins with the § at `at`. Moves `at` to the end of the list. Of two
// numbers that are no range, the second is cited alone.
std::vector<cited_number> section_list(std::string_view text, std::size_t& at) {
  at += sign.size();
  const bool is_short = text.substr(at).starts_with(sign);  // in §§7-9 the other numbers have no §
  if (is_short) at += sign.size();
  std::vector<cited_number> all{{number_at(text, at), at}};
  at += all.back().number.size();
  while (!all.back().number.empty()) {
    const auto between = separator_at(text, at);
    if (between.size == 0) break;
    auto next = at + between.size;
    const bool has_sign = text.substr(next).starts_with(sign);
    if (has_sign) next += sign.size();
    const auto number = number_at(text, next);
    if ((!has_sign && !is_short) || number.empty()) break;
    auto more = between.is_range ? range_after(all.back().number, number)
                                 : std::vector<std::string>{number};
    if (more.empty()) more.push_back(number);
    for (auto& one : more) all.push_back({std::move(one), next});
    at = next + number.size();
  }
  return all;
}

// The word that ends before `at`, in lower case; blanks between them are skipped.
std::string word_before(std::string_view text, std::size_t at) {
  while (at > 0 && text[at - 1] == ' ') --at;
  auto from = at;
  while (from > 0 && std::isalpha(static_cast<unsigned char>(text[from - 1])) != 0) --from;
  std::string word(text.substr(from, at - from));
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

struct definition {
  std::size_t line = 0;
  bool is_section = false;
};

struct known_text {
  const specification* spec = nullptr;
  std::map<std::string, definition> numbers;
  std::set<std::string> by_source, by_test;
};

std::string shown(const specification& spec, const std::string& number) {
  return spec.letters.empty() ? std::string(sign) + number : number;
}

class checker {
 public:
  checker(std::span<const specification> known, std::span<const text_file> files) {
    for (const auto& spec : known) read_specification(spec, files);
    for (const auto& file : files) {
      if (!is_below(file.path, "tests/lint")) read_citations(file);
    }
    for (const auto& text : texts_) report_uncited(text);
    std::ranges::stable_sort(found_, [](const finding& a, const finding& b) {
      return std::pair(a.path, a.line) < std::pair(b.path, b.line);
    });
  }

  [[nodiscard]] std::vector<finding> take() { return std::move(found_); }

 private:
  void add(std::string_view path, std::size_t line, std::string what) {
    found_.push_back({std::string(path), line, std::move(what)});
  }

  void read_specification(const specification& spec, std::span<const text_file> files) {
    const auto file = std::ranges::find(files, spec.path, &text_file::path);
    if (file == files.end()) {
      missing_.insert(std::string(spec.name));
      if (std::ranges::any_of(files, [&](auto& f) { return is_below(f.path, spec.folder); })) {
        add(spec.path, 0, "the specification of " + std::string(spec.folder) + " is missing");
      }
      return;
    }
    known_text text{&spec, {}, {}, {}};
    std::string section;
    std::size_t number = 0;
    std::string_view rest = file->text;
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      read_definition(text, rest.substr(0, end), ++number, section);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    texts_.push_back(std::move(text));
  }

  // Reads one line of a specification: a section, a rule, or neither.
  void read_definition(known_text& text, std::string_view line, std::size_t at,
                       std::string& section) {
    const auto& spec = *text.spec;
    const auto text_of_heading = line.substr(std::min(line.find_first_not_of('#'), line.size()));
    const bool is_heading = line.starts_with('#') && text_of_heading.starts_with(" §");
    if (is_heading && spec.letters.empty()) {
      section = number_at(text_of_heading, 1 + sign.size());
      define(text, section, {at, true});
      return;
    }
    if (!line.starts_with("**")) return;
    const auto from = spec.letters.empty() ? 2 + sign.size() : std::size_t{2};
    const bool begins = spec.letters.empty()
                            ? line.substr(2).starts_with(sign)
                            : line.size() > 3 && is_digit(line[3]) &&
                                  spec.letters.find(line[2]) != std::string_view::npos;
    if (!begins) return;
    const auto number =
        spec.letters.empty() ? number_at(line, from) : letter_number_at(line, from, spec.letters);
    if (number.empty() || !line.substr(from + number.size()).starts_with("** ")) {
      return add(spec.path, at, "a rule begins with its number in bold and a blank");
    }
    if (spec.letters.empty() && number.substr(0, number.find('.')) != section) {
      add(spec.path, at, shown(spec, number) + " stands in section §" + section);
    }
    define(text, number, {at, false});
  }

  void define(known_text& text, const std::string& number, definition where) {
    if (!text.numbers.emplace(number, where).second) {
      add(text.spec->path, where.line, shown(*text.spec, number) + " is defined twice");
    }
  }

  known_text* text_named(std::string_view name) {
    const auto found =
        std::ranges::find_if(texts_, [&](auto& text) { return text.spec->name == name; });
    return found != texts_.end() ? &*found : nullptr;
  }

  void read_citations(const text_file& file) {
    const auto flat = flattened(file);
    const auto own = std::ranges::find_if(
        texts_, [&](const known_text& text) { return text.spec->path == file.path; });
    known_text* const here = own != texts_.end() ? &*own : nullptr;
    for (auto at = flat.text.find(sign); at != std::string::npos; at = flat.text.find(sign, at)) {
      const auto name = word_before(flat.text, at);
      const auto line = flat.line_at(at);
      if (flat.text.substr(at + sign.size()).starts_with('"')) {
        at += sign.size();
        continue;
      }
      auto* named = text_named(name);
      const bool is_missing = missing_.contains(name);
      if (named == nullptr && !is_missing) named = here;
      for (const auto& one : section_list(flat.text, at)) {
        if (named != nullptr) {
          cite(*named, one.number, file.path, flat.line_at(one.at));
        } else if (!is_missing) {
          add(file.path, line, "a § without the name of its specification");
          break;
        }
      }
    }
    for (auto& text : texts_) {
      if (!text.spec->letters.empty()) read_letters(text, file, flat, &text == here);
    }
  }

  void read_letters(known_text& text, const text_file& file, const flat_text& flat, bool is_own) {
    const auto& spec = *text.spec;
    const bool is_bare = is_own || std::ranges::any_of(spec.bare_in, [&](std::string_view folder) {
                           return is_below(file.path, folder);
                         });
    std::size_t list_end = 0;  // the end of the latest list of letters
    for (std::size_t at = 0; at < flat.text.size(); ++at) {
      const auto number = letter_number_at(flat.text, at, spec.letters);
      if (number.empty()) continue;
      const bool goes_on = list_end != 0 && separator_at(flat.text, list_end).size == at - list_end;
      if (is_bare || goes_on || word_before(flat.text, at) == spec.name) {
        cite(text, number, file.path, flat.line_at(at));
        list_end = at + number.size();
      }
    }
  }

  void cite(known_text& text, const std::string& number, const std::string& path,
            std::size_t line) {
    if (!text.numbers.contains(number)) {
      return add(path, line,
                 std::string(text.spec->name) + " " + shown(*text.spec, number) +
                     " does not exist in " + std::string(text.spec->path));
    }
    if (path.ends_with(".md")) return;
    (is_below(path, "tests") ? text.by_test : text.by_source).insert(number);
  }

  void report_uncited(const known_text& text) {
    for (const auto& [number, where] : text.numbers) {
      const bool has_rules =
          where.is_section && std::ranges::any_of(text.numbers, [&](const auto& other) {
            return other.first.starts_with(number + ".");
          });
      if (has_rules) continue;
      for (const auto& [cited, whom] :
           {std::pair(&text.by_source, "source"), std::pair(&text.by_test, "test")}) {
        if (cited->contains(number)) continue;
        add(text.spec->path, where.line,
            shown(*text.spec, number) + " is cited by no " + std::string(whom));
      }
    }
  }

  std::vector<known_text> texts_;
  std::set<std::string> missing_;  // the names of missing specifications
  std::vector<finding> found_;
};

}  // namespace

const std::vector<specification>& specifications() {
  static const std::vector<specification> all{
      {"actors/rules/PROTOCOL.md", "protocol", "", "actors/rules", {}},
      {"actors/consensus/CONSENSUS.md",
       "consensus",
       "RESL",
       "actors/consensus",
       {"actors/consensus", "actors/simulation", "tests/actors/consensus",
        "tests/actors/simulation"}},
      {"model/exact/ARITHMETIC.md", "arithmetic", "", "model/exact", {}},
      {"actors/mesh/SECURITY.md", "security", "", "actors/mesh", {}},
  };
  return all;
}

std::vector<finding> check_citations(std::span<const specification> known,
                                     std::span<const text_file> files) {
  return checker(known, files).take();
}

std::vector<finding> check_citations(const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  constexpr std::string_view folders[] = {"messages", "model",  "storage",
                                          "actors",   "deploy", "tests"};
  constexpr std::string_view endings[] = {".hpp", ".cpp", ".capnp", ".md"};
  std::vector<text_file> files;
  const auto take = [&](const fs::path& path) {
    const auto ending = path.extension().string();
    if (std::ranges::find(endings, ending) == std::end(endings)) return;
    std::ifstream file(path, std::ios::binary);
    files.push_back({fs::relative(path, root).generic_string(),
                     std::string{std::istreambuf_iterator<char>(file), {}}});
  };
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.is_regular_file()) take(entry.path());
  }
  for (const auto folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file()) take(entry.path());
    }
  }
  std::ranges::sort(files, {}, &text_file::path);
  return check_citations(specifications(), files);
}

}  // namespace soma::lint
