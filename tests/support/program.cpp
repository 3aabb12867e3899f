#include "tests/support/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace soma::support {
namespace {

namespace fs = std::filesystem;

std::string fresh_name() {
  static std::atomic<int> next{0};
  return std::to_string(::getpid()) + "_" + std::to_string(next++);
}

[[noreturn]] void become(const fs::path& home, const fs::path& folder,
                         const std::vector<std::string>& command) {
  const auto redirect = [](const fs::path& path, int flags, int onto) {
    const int opened = ::open(path.c_str(), flags, 0600);
    if (opened < 0 || ::dup2(opened, onto) < 0) ::_exit(126);
  };
  redirect("/dev/null", O_RDONLY, STDIN_FILENO);
  redirect(folder / "out", O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  redirect(folder / "err", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  ::setenv("HOME", home.c_str(), 1);
  ::setenv("SOMA_HOME", (home / ".soma").c_str(), 1);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(words[0], words.data());
  ::_exit(127);
}

}  // namespace

scratch_folder::scratch_folder()
    : path_(fs::temp_directory_path() / ("soma_test_" + fresh_name())) {
  fs::remove_all(path_);
  fs::create_directories(path_);
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

running_program::running_program(const fs::path& home, std::vector<std::string> command)
    : folder_(home / ("run_" + fresh_name())) {
  fs::create_directories(folder_);
  id_ = ::fork();
  if (id_ < 0) throw std::runtime_error("fork failed");
  if (id_ == 0) become(home, folder_, command);
}

running_program::~running_program() {
  if (id_ <= 0) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

void running_program::send(int signal_number) const {
  if (id_ > 0) ::kill(id_, signal_number);
}

std::string running_program::out() const {
  return read_text(folder_ / "out");
}
std::string running_program::err() const {
  return read_text(folder_ / "err");
}

finished_program running_program::wait(std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  int status = 0;
  while (::waitpid(id_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("the program did not end in time; it wrote: " + err());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  id_ = -1;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, out(), err()};
}

finished_program run_program(const fs::path& home, std::vector<std::string> command,
                             std::chrono::seconds limit) {
  return running_program(home, std::move(command)).wait(limit);
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();  // ends at a read that fails, as one of a process that has just ended does
  return text.str();
}

}  // namespace soma::support
