#include "tests/fuzz/commands/sandbox.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace soma::fuzz {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

constexpr std::uint64_t max_hashed_bytes = 2U << 20U;
constexpr std::size_t max_output_bytes = 1U << 20U;

std::uint64_t hash_of(const fs::path& path) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;  // FNV-1a
  for (const char c : support::read_text(path)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
  }
  return hash;
}

file_state state_of(const fs::path& path) {
  struct stat found {};
  file_state state;
  if (::lstat(path.c_str(), &found) != 0) return state;
  state.mode = found.st_mode;
  if (S_ISLNK(found.st_mode)) {
    std::error_code ignored;
    state.target = fs::read_symlink(path, ignored).string();
  }
  if (!S_ISREG(found.st_mode)) return state;
  state.size = static_cast<std::uint64_t>(found.st_size);
  state.changed_ns = static_cast<std::uint64_t>(found.st_mtim.tv_sec) * 1'000'000'000 +
                     static_cast<std::uint64_t>(found.st_mtim.tv_nsec);
  if (state.size <= max_hashed_bytes) state.hash = hash_of(path);
  return state;
}

/// A folder that a run made unreadable must not stop the removal.
void remove_folder(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(folder, ignored))) return;
  fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add, ignored);
  for (auto at = fs::recursive_directory_iterator(
           folder, fs::directory_options::skip_permission_denied, ignored);
       at != fs::recursive_directory_iterator(); at.increment(ignored)) {
    if (at->is_directory(ignored) && !at->is_symlink(ignored)) {
      fs::permissions(at->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
  }
  fs::remove_all(folder, ignored);
}

/// A device in the sandbox: a root that runs this must not lose those of the machine. Whoever may
/// not make a device gets a link to it, and may not replace it either.
void make_device(const fs::path& path, unsigned minor, const char* original) {
  if (::mknod(path.c_str(), S_IFCHR | 0666, makedev(1, minor)) == 0) return;
  fs::create_symlink(original, path);
}

void make_odd_files(const fs::path& box) {
  using support::write_text;
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += "some text to learn from, number " + std::to_string(i) + ". ";
  write_text(box / "data.txt", text);
  write_text(box / "empty", "");
  write_text(box / "keep.txt", "nobody names this to write it\n");
  write_text(box / "secret", "correct horse\n");
  write_text(box / "odd name.txt", "odd");
  write_text(box / "config.toml", "[model.train]\nsteps = 2\n");
  write_text(box / "genesis.toml", "name = \"net\"\n[parameters]\nepoch_ms = 60000\n");
  fs::create_directories(box / "folder");
  write_text(box / "folder" / "a.txt", text);
  fs::create_directories(box / "readonly");
  write_text(box / "readonly" / "r.txt", "r");
  write_text(box / "locked", "locked");
  write_text(box / "sparse", "");
  fs::resize_file(box / "sparse", std::uintmax_t{1} << 40U);
  if (::mkfifo((box / "fifo").c_str(), 0600) != 0) throw std::runtime_error("mkfifo failed");
  fs::create_symlink("loop", box / "loop");
  fs::create_symlink("nowhere", box / "dangling");
  fs::create_symlink("data.txt", box / "link");
  make_device(box / "null", 3, "/dev/null");
  make_device(box / "zero", 5, "/dev/zero");
  make_device(box / "full", 7, "/dev/full");
  fs::permissions(box / "locked", fs::perms::none);
  fs::permissions(box / "readonly", fs::perms::owner_read | fs::perms::owner_exec);
}

void limit(int what, rlim_t most) {
  const rlimit both{most, most};
  ::setrlimit(what, &both);
}

[[noreturn]] void become(const fs::path& place, const std::vector<std::string>& command) {
  const auto redirect = [](const fs::path& path, int flags, int onto) {
    const int opened = ::open(path.c_str(), flags, 0600);
    if (opened < 0 || ::dup2(opened, onto) < 0) ::_exit(126);
  };
  ::setsid();  // without a terminal nobody can be asked
  redirect("/dev/null", O_RDONLY, STDIN_FILENO);
  redirect(place / "out", O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  redirect(place / "err", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  const auto box = place / "box";
  if (::chdir(box.c_str()) != 0) ::_exit(126);
  ::setenv("HOME", (box / "user").c_str(), 1);
  ::setenv("SOMA_HOME", (box / "home").c_str(), 1);
  ::unsetenv("SOMA_PASSPHRASE");
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, rlim_t{256} << 20U);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  limit(RLIMIT_DATA, rlim_t{4} << 30U);  // a size that is too large fails, and disturbs nobody
#endif
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(words[0], words.data());
  ::_exit(127);
}

std::string output_at(const fs::path& path) {
  std::string text(max_output_bytes, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// True if the child has ended before the time is over.
bool ends_within(pid_t child, std::chrono::milliseconds time, int& status) {
  const auto deadline = clock::now() + time;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace

folder_state look_at(const fs::path& folder) {
  folder_state state;
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(
           folder, fs::directory_options::skip_permission_denied, error);
       at != fs::recursive_directory_iterator(); at.increment(error)) {
    state.emplace(at->path(), state_of(at->path()));
  }
  return state;
}

sandbox::sandbox(const fs::path& place, std::string program)
    : place_(fs::canonical(place)), program_(std::move(program)) {
  fs::create_directories(place_ / "canary");
  support::write_text(place_ / "canary" / "bird", "alive\n");
  make();
  fs::create_directories(place_ / "saved");
  for (const auto* name : {"home", "net", "w.safetensors"}) {
    if (fs::exists(folder() / name)) {
      fs::copy(folder() / name, place_ / "saved" / name, fs::copy_options::recursive);
    }
  }
  state_ = look_at(folder());
}

sandbox::~sandbox() {
  remove_folder(folder());
}

void sandbox::make() {
  remove_folder(folder());
  fs::create_directories(user_home());
  fs::create_directories(home());
  const auto saved = place_ / "saved";
  if (fs::exists(saved)) {
    fs::copy(saved, folder(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  } else if (!program_.empty()) {
    const std::vector<std::vector<std::string>> commands{
        {"model", "init", "--arch", "1,16,2,32,16", "-o", "w.safetensors"},
        {"wallet", "new", "alice", "--no-passphrase"},
        {"node", "new-ca"},
        {"node", "new-cert", "me"},
        {"genesis", "new", "--validators", "1", "--output-dir", "net", "--arch", "1,16,2,32,16"}};
    for (const auto& words : commands) {
      const auto done = run(words, std::chrono::minutes(2));
      if (done.exit_code != 0) {
        throw std::runtime_error("the sandbox cannot be made: " + words[0] + " " + words[1] + ": " +
                                 done.err);
      }
    }
  }
  make_odd_files(folder());
}

void sandbox::restore() {
  make();
  state_ = look_at(folder());
}

ended_run sandbox::run(const std::vector<std::string>& words,
                       std::chrono::milliseconds patience) const {
  auto command = words;
  command.insert(command.begin(), program_);
  const auto child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become(place_, command);
  ended_run run;
  int status = 0;
  if (!ends_within(child, patience, status)) {
    run.was_stopped = true;
    ::kill(child, SIGTERM);
    if (!ends_within(child, patience, status)) {
      run.hung = true;
      ::kill(-child, SIGKILL);
      ::waitpid(child, &status, 0);
    }
  }
  ::kill(-child, SIGKILL);  // whatever it started and left behind
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  run.out = output_at(place_ / "out");
  run.err = output_at(place_ / "err");
  return run;
}

}  // namespace soma::fuzz
