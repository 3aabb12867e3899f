#include "tests/functional/guide_run.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "tests/support/free_ports.hpp"

namespace soma::guide {
namespace {

namespace fs = std::filesystem;
using support::read_text;
using support::write_text;

constexpr auto block_limit = std::chrono::seconds(300);
constexpr auto background_limit = std::chrono::seconds(60);

/// Makes links to everything in the tree, and `build/release` as a link to the build folder of the
/// test.
void link_tree(const tree& built, const fs::path& into) {
  fs::create_directories(into / "build");
  for (const auto& entry : fs::directory_iterator(built.source)) {
    const auto name = entry.path().filename();
    if (name == "build" || name == ".git") continue;
    fs::create_symlink(entry.path(), into / name);
  }
  fs::create_directory_symlink(built.binary.parent_path(), into / "build" / "release");
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Replaces every `from` in `text` by `to`; a number only where it is the whole number.
void replace_all(std::string& text, const std::string& from, const std::string& to) {
  const bool is_number = std::ranges::all_of(from, is_digit);
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    const auto end = at + from.size();
    const bool is_part = is_number && ((at > 0 && is_digit(text[at - 1])) ||
                                       (end < text.size() && is_digit(text[end])));
    if (is_part) {
      at = end;
    } else {
      text.replace(at, from.size(), to);
      at += to.size();
    }
  }
}

/// The script that is typed for a block.
std::string script_of(const block& one) {
  if (one.arguments.empty()) return one.content;
  std::string script;
  for (const auto& line : command_lines(one.content)) {
    script += with_arguments(line, one.arguments) + "\n";
  }
  return script;
}

std::string without_newlines(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

const fs::path& short_localnet(const tree& built) {
  static const support::scratch_folder home;
  static const bool is_made = [&] {
    const auto done = support::run_program(
        home.path(),
        {built.binary.string(), "localnet", "--seed", "7", "--epochs", "4", "--train-steps", "60",
         "--max-data", "512KiB", "--arch", "2,32,2,64,128"},
        block_limit);
    if (done.exit_code != 0) throw std::runtime_error("no network to read: " + done.err);
    return true;
  }();
  static const fs::path made = home / ".soma";
  (void)is_made;
  return made;
}

page_run::page_run(const tree& built) : built_(built) {
  const auto folder = home_ / "soma";
  link_tree(built, folder);
  fs::create_directory(home_ / ".guide");
  write_text(home_ / ".guide" / "folder", folder.string());
  write_text(home_ / ".guide" / "variables", "");
}

page_run::~page_run() {
  interrupt();
}

std::string page_run::run(const block& one) {
  if (!one.not_run.empty()) return {};
  if (auto wrong = prepare(one); !wrong.empty()) return wrong;
  if (!one.file.empty()) return write_file(one);
  if (one.language == "text") return compare(one);
  return one.background_until.empty() ? run_commands(one) : start_background(one);
}

std::string page_run::prepare(const block& one) {
  if (one.interrupts) interrupt();
  if (one.needs_localnet) {
    fs::copy(short_localnet(built_), home_ / ".soma", fs::copy_options::recursive);
  }
  if (one.free_ports) {
    if (auto wrong = substitute_ports(*one.free_ports); !wrong.empty()) return wrong;
  }
  for (const auto& command : one.first) {
    const auto done = bash(substituted(command));
    if (done.exit_code != 0) return "'" + command + "' failed: " + done.out + done.err;
  }
  for (const auto& [text, command] : one.lets) {
    const auto done = bash(substituted(command));
    const auto value = without_newlines(done.out);
    if (done.exit_code != 0 || value.empty()) {
      return "'" + command + "' said nothing: " + done.err;
    }
    substitutions_.emplace_back(text, value);
  }
  return {};
}

std::string page_run::substitute_ports(const port_range& range) {
  const auto count = static_cast<std::uint16_t>(range.last - range.first + 1);
  const auto found = support::free_ports(count);
  for (std::uint16_t i = 0; i < count; ++i) {
    substitutions_.emplace_back(std::to_string(range.first + i), std::to_string(found + i));
  }
  return {};
}

std::string page_run::run_commands(const block& one) {
  const auto done = bash(substituted(script_of(one)));
  printed_ = shown(done.out + done.err);
  if (done.exit_code == one.status) return {};
  return "ended with " + std::to_string(done.exit_code) + " instead of " +
         std::to_string(one.status) + ":\n" + printed_;
}

std::string page_run::start_background(const block& one) {
  const auto begun = background_.size();
  for (const auto& line : command_lines(script_of(one))) {
    // With `exec` the shell becomes the program, so that a signal reaches the program itself.
    background_.push_back(std::make_unique<support::running_program>(
        home_.path(), bash_command("exec " + substituted(line) + "\n", {})));
  }
  const auto deadline = std::chrono::steady_clock::now() + background_limit;
  printed_.clear();
  for (auto i = begun; i < background_.size(); ++i) {
    const auto printed = [&] { return shown(background_[i]->out() + background_[i]->err()); };
    const auto& awaited = one.background_until;
    while (printed().find(awaited) == std::string::npos) {
      if (std::chrono::steady_clock::now() > deadline) {
        return "never wrote '" + awaited + "' but this:\n" + printed();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    printed_ += printed();
  }
  return {};
}

void page_run::interrupt() {
  for (const auto& one : background_) one->send(SIGINT);
  for (const auto& one : background_) {
    try {
      (void)one->wait(std::chrono::seconds(20));
    } catch (const std::runtime_error&) {
      one->send(SIGKILL);
    }
  }
  background_.clear();
}

std::string page_run::write_file(const block& one) {
  const auto folder = fs::path(without_newlines(read_text(home_ / ".guide" / "folder")));
  const auto path = folder / substituted(one.file);
  fs::create_directories(path.parent_path());
  write_text(path, substituted(one.content));
  return {};
}

std::string page_run::compare(const block& one) const {
  if (!one.not_compared.empty()) return {};
  const auto missing = lines_not_printed(one.content, printed_);
  if (missing.empty()) return {};
  return "this was not printed: " + missing.front() + "\nbut this was:\n" + printed_;
}

/// The words of a command that runs `script` with the folder and variables that the last script
/// left, and keeps those of this script for the next one.
std::vector<std::string> page_run::bash_command(const std::string& script,
                                                std::vector<std::string> words) {
  const auto kept = (home_ / ".guide").string();
  const auto path = home_ / ".guide" / ("script_" + std::to_string(scripts_++));
  write_text(path, "cd \"$(cat " + kept + "/folder)\"\n. " + kept +
                       "/variables\n"
                       "trap 'ended=$?; pwd >" +
                       kept + "/folder; export -p >" + kept +
                       "/variables; exit $ended' EXIT\n"
                       "trap 'echo \"here it failed: $BASH_COMMAND\" >&2' ERR\nset -e\n" +
                       script);
  words.insert(words.end(), {"/bin/bash", path.string()});
  return words;
}

support::finished_program page_run::bash(const std::string& script) {
  const auto seconds = std::to_string(block_limit.count());
  return support::run_program(home_.path(),
                              bash_command(script, {"/usr/bin/timeout", "--kill-after=5", seconds}),
                              block_limit + std::chrono::seconds(10));
}

std::string page_run::substituted(std::string text) const {
  for (const auto& [from, to] : substitutions_) replace_all(text, from, to);
  return text;
}

/// The printed text, in which the page's own texts replace the values that stood for them.
std::string page_run::shown(std::string printed) const {
  for (const auto& [from, to] : substitutions_) replace_all(printed, to, from);
  replace_all(printed, home_.path().string(), "~");
  return printed;
}

}  // namespace soma::guide
