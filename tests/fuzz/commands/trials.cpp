#include "tests/fuzz/commands/trials.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <set>
#include <utility>

#include "tests/fuzz/commands/words.hpp"
#include "tests/support/json_reader.hpp"

namespace soma::fuzz {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using names = std::set<std::string, std::less<>>;

bool is_option(const std::string& word, std::string_view name) {
  return word.starts_with(name) && (word.size() == name.size() || word[name.size()] == '=');
}

bool has_option(const trial& t, std::string_view name) {
  return std::ranges::any_of(t.line.words,
                             [&](const std::string& word) { return is_option(word, name); });
}

/// Verbs that serve or work until they are stopped.
bool may_last(const trial& t) {
  static const names serving{"node run", "scorer", "model train"};
  // A FIFO is read for as long as nobody writes into it, as `cat` does.
  const bool has_fifo = std::ranges::any_of(
      t.line.words, [](const std::string& word) { return word.find("fifo") != std::string::npos; });
  return serving.contains(t.line.verb) || has_fifo;
}

/// Where a text of the command line or of the file leads, as it stands and through links.
void add_places(const std::string& text, const fs::path& from, const sandbox& box,
                std::vector<fs::path>& into) {
  if (text.empty() || text.find('\0') != std::string::npos) return;
  const bool is_of_user = text == "~" || text.starts_with("~/");
  const auto place =
      (is_of_user ? box.user_home() / fs::path(text.substr(std::min<std::size_t>(2, text.size())))
                  : from / text)
          .lexically_normal();
  // Names of folders may end with a slash, which makes an empty last part.
  into.push_back(place.filename().empty() ? place.parent_path() : place);
  std::error_code error;
  const auto followed = fs::weakly_canonical(place, error);
  if (!error) into.push_back(followed);
}

/// Every path that a word can mean: the word, what follows its first "=", what stands before the
/// last "=" of that, as in KEY=AMOUNT, and what follows a letter, as in -oFILE.
std::vector<std::string> paths_in(const std::string& word) {
  std::vector<std::string> all{word};
  const auto add_key = [&](const std::string& text) {
    if (const auto last = text.rfind('='); last != std::string::npos) {
      all.push_back(text.substr(0, last));
    }
  };
  add_key(word);
  if (const auto first = word.find('='); first != std::string::npos) {
    all.push_back(word.substr(first + 1));
    add_key(all.back());
  }
  if (word.size() > 2 && word[0] == '-' && word[1] != '-') all.push_back(word.substr(2));
  return all;
}

std::vector<fs::path> named_places(const trial& t, const sandbox& box) {
  std::vector<fs::path> places;
  for (const auto& word : t.line.words) {
    for (const auto& path : paths_in(word)) add_places(path, box.folder(), box, places);
  }
  if (t.file) {
    const auto folder = (box.folder() / t.place).parent_path();
    for (const auto& text : quoted_texts(t.file->text)) {
      add_places(text, folder, box, places);
      add_places(text, box.folder(), box, places);
    }
  }
  return places;
}

/// The values of options that write. A file may set these options, too, and then everything that it
/// names counts.
std::vector<fs::path> written_places(const trial& t, const sandbox& box) {
  std::vector<fs::path> places;
  const auto& words = t.line.words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with("-o")) add_places(words[i].substr(2), box.folder(), box, places);
    for (const auto* name : {"--output", "--checkpoint", "--output-dir", "--scratch", "--dir"}) {
      if (!is_option(words[i], name)) continue;
      const auto equals = words[i].find('=');
      if (equals != std::string::npos) {
        add_places(words[i].substr(equals + 1), box.folder(), box, places);
      }
    }
    const bool takes_next = words[i] == "-o" || words[i] == "--output" ||
                            words[i] == "--checkpoint" || words[i] == "--output-dir" ||
                            words[i] == "--scratch" || words[i] == "--dir";
    if (takes_next && i + 1 < words.size()) add_places(words[i + 1], box.folder(), box, places);
  }
  if (t.file) {
    for (const auto& text : quoted_texts(t.file->text)) {
      add_places(text, box.folder(), box, places);
    }
  }
  return places;
}

bool is_at_or_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(path.begin(), path.end(), folder.begin(), folder.end()).second ==
         folder.end();
}

/// True for a named place, for what lies in a named folder, and for what the program puts beside a
/// named file: a training's checkpoint, and the voting record of a new key.
bool lies_in(const fs::path& path, const std::vector<fs::path>& places) {
  return std::ranges::any_of(places, [&](const fs::path& place) {
    return is_at_or_below(path, place) || path == place.string() + ".checkpoint" ||
           is_at_or_below(path, fs::path(place).replace_extension(".votes"));
  });
}

/// What a verb writes without that its path is a word: it is in the home, or in that of a node.
bool is_own_place(const trial& t, const fs::path& path, bool is_new, const sandbox& box) {
  static const names home_writers{"wallet new", "node new-ca",   "node new-cert",
                                  "node run",   "model publish", "localnet"};
  const auto name = path.filename().string();
  if (name == "lock.mdb" || name.ends_with(".lock")) return true;
  if (is_new && home_writers.contains(t.line.verb) && is_at_or_below(path, box.home())) return true;
  // A node's files lie beside its configuration. Its key is never written.
  return t.line.verb == "node run" && name != "validator.key" &&
         is_at_or_below(path, box.folder() / "net" / "validator-1");
}

std::string check_files(const trial& t, const folder_state& before, const folder_state& after,
                        const sandbox& box) {
  const auto named = named_places(t, box);
  const auto written = written_places(t, box);
  const bool sets_itself = t.file && (t.file->text.find("force") != std::string::npos ||
                                      t.file->text.find("resume") != std::string::npos);
  const bool may_replace = has_option(t, "--force") || has_option(t, "--resume") || sets_itself;
  const auto relative = [&](const fs::path& path) {
    return shell_quoted(path.lexically_relative(box.folder()).string());
  };
  for (const auto& [path, state] : after) {
    const auto found = before.find(path);
    if (found == before.end()) {
      if (lies_in(path, named) || is_own_place(t, path, true, box)) continue;
      return "a file was made that nobody named: " + relative(path);
    }
    if (found->second == state || is_own_place(t, path, false, box)) continue;
    if (may_replace && lies_in(path, written)) continue;
    return "a file was changed: " + relative(path);
  }
  for (const auto& [path, state] : before) {
    if (after.contains(path) || is_own_place(t, path, false, box)) continue;
    if (may_replace && lies_in(path, written)) continue;
    return "a file was removed: " + relative(path);
  }
  return "";
}

std::string check_end(const trial& t, const ended_run& run) {
  if (run.hung) return "hangs: it did not leave after SIGTERM";
  if (run.was_stopped && !may_last(t)) return "lasts: it had to be stopped";
  // It may be stopped before it has begun to listen to signals.
  if (run.was_stopped && run.exit_code == 128 + SIGTERM) return "";
  if (run.exit_code < 0 || run.exit_code > 2) {
    return "exit code: " + std::to_string(run.exit_code) + ", " + shell_quoted(run.err);
  }
  return "";
}

std::string check_streams(const trial& t, const ended_run& run) {
  // These tell what they are doing before it fails. Wrong usage is found before they begin.
  static const names telling{"genesis new", "model train", "model publish", "node run", "scorer"};
  if (run.was_stopped) return "";
  const auto lines = std::ranges::count(run.err, '\n');
  if (run.exit_code == 0) {
    const bool wants_json =
        std::ranges::find(t.line.words, "--json") != t.line.words.end() &&
        std::ranges::count_if(t.line.words, [](const std::string& word) {
          return word.starts_with("--json") || word == "--" || word == "--help" || word == "-h";
        }) == 1;
    if (wants_json && !support::parse_json(run.out)) {
      return "json: it is no document: " + shell_quoted(run.out.substr(0, 500));
    }
    return "";
  }
  const auto shown = shell_quoted(run.err.substr(0, 500));
  if (!run.out.empty()) return "stdout: a refusal wrote " + shell_quoted(run.out.substr(0, 500));
  if (run.err.empty() || run.err.back() != '\n') return "one line: " + shown;
  const bool may_tell = run.exit_code == 1 && telling.contains(t.line.verb);
  const auto before_last = run.err.rfind('\n', run.err.size() - 2);
  const auto last = before_last == std::string::npos ? run.err : run.err.substr(before_last + 1);
  const auto is_refusal = [](const std::string& line) {
    if (line.starts_with("soma: ")) return true;
    const auto document = support::parse_json(line);  // with --json
    return document && !(*document)["error"]["problem"].text.empty();
  };
  if (!is_refusal(last) || (lines != 1 && !may_tell)) return "one line: " + shown;
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n') || byte == 0x7f;
  };
  if (std::ranges::any_of(last, is_control)) return "control characters: " + shown;
  // What only a programmer understands: names of C++ and of libraries.
  for (const auto* word : {"filesystem error", "exception", "std::", "terminate", "N4soma"}) {
    if (last.find(word) != std::string::npos) return "words of C++: " + shown;
  }
  return "";
}

std::string kind_of(const std::string& complaint) {
  return complaint.substr(0, complaint.find(':'));
}

trial document_trial(std::uint64_t seed, std::vector<cli::bound_verb>& table) {
  // The readers of publications and indexes are reached with a running network only; the test of
  // this folder that reads in its own process reaches them. Here they are wrong configurations.
  static const std::vector<std::vector<std::string>> readers{
      {"config", "show"},
      {"config", "show", "--json"},
      {"wallet", "list", "--json"},
      {"status"},
      {"model", "init", "--arch", "1,16,2,32,16"},
      {"model", "score", "--weights", "w.safetensors", "--data", "data.txt", "--plan"},
      {"genesis", "inspect", "net/genesis.bin"}};
  noise::noise_generator noise(seed);
  trial t;
  t.file = random_document(table, noise);
  switch (t.file->kind) {
    case document_kind::node:
      t.place = "net/validator-1/fuzz.toml";
      t.line.verb = "node run";
      t.line.words = {"node", "run", "--config", t.place, "--first-start"};
      break;
    case document_kind::genesis:
      t.place = "fuzz.toml";
      t.line.verb = "genesis new";
      t.line.words = {"genesis", "new", "--output", "made.bin", "--file", t.place};
      break;
    default: {
      t.place = "fuzz.toml";
      t.line.words = one_of(readers, noise);
      t.line.verb =
          t.line.words[0] == "status" ? "status" : t.line.words[0] + " " + t.line.words[1];
      t.line.words.insert(t.line.words.end(), {"--config", t.place});
    }
  }
  return t;
}

}  // namespace

trial make_trial(std::uint64_t seed, std::vector<cli::bound_verb>& table) {
  if (seed % 2 == 1) return document_trial(seed, table);
  noise::noise_generator noise(seed);
  auto line = random_command_line(table, noise);
  return {made_short(std::move(line), noise), std::nullopt, ""};
}

trial_result run_trial(const trial& t, sandbox& box) {
  auto before = box.state();
  if (t.file) {
    support::write_text(box.folder() / t.place, t.file->text);
    before = look_at(box.folder());
  }
  const auto canary = look_at(box.place() / "canary");
  const auto run = box.run(t.line.words, may_last(t) ? 6s : 60s);
  const auto after = look_at(box.folder());
  trial_result result{check_end(t, run), run.exit_code, run.was_stopped};
  if (result.complaint.empty()) result.complaint = check_streams(t, run);
  if (result.complaint.empty()) result.complaint = check_files(t, before, after, box);
  if (look_at(box.place() / "canary") != canary) {
    result.complaint = "outside of the sandbox: a file was changed";
  }
  if (after != box.state()) box.restore();
  return result;
}

trial shrunk(trial t, const std::string& complaint, sandbox& box) {
  for (std::size_t i = 0; i < t.line.words.size();) {
    auto shorter = t;
    shorter.line.words.erase(shorter.line.words.begin() + static_cast<std::ptrdiff_t>(i));
    if (kind_of(run_trial(shorter, box).complaint) == kind_of(complaint)) {
      t = std::move(shorter);
    } else {
      ++i;
    }
  }
  return t;
}

std::string shell_commands(const trial& t, const std::string& program, const sandbox& box) {
  const auto quoted = [](const fs::path& path) { return shell_quoted(path.string()); };
  std::string text = "cd " + quoted(box.folder());
  if (t.file) text += " && printf %s " + shell_quoted(t.file->text) + " >" + t.place;
  text += " && HOME=" + quoted(box.user_home()) + " SOMA_HOME=" + quoted(box.home()) + " " +
          shell_quoted(program);
  for (const auto& word : t.line.words) text += " " + shell_quoted(word);
  return text;
}

}  // namespace soma::fuzz
