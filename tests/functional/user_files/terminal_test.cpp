// A passphrase is asked for on a real terminal. However the question ends, the terminal shows
// afterwards what is typed.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "tests/deploy/soma/binary.hpp"

using soma::support::soma_user;

namespace fs = std::filesystem;

namespace {

/// A program whose standard streams are a terminal of its own, on which the test types.
class typed_program {
 public:
  typed_program(const fs::path& home, std::vector<std::string> command)
      : screen_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    REQUIRE(screen_ >= 0);
    REQUIRE(::grantpt(screen_) == 0);
    REQUIRE(::unlockpt(screen_) == 0);
    const std::string name = ::ptsname(screen_);
    // Held open, so that its settings can be read after the program has ended.
    terminal_ = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    REQUIRE(terminal_ >= 0);
    id_ = ::fork();
    REQUIRE(id_ >= 0);
    if (id_ != 0) return;
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::setsid();
    const int own = ::open(name.c_str(), O_RDWR);  // becomes the terminal of the new session
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(own, stream);
    ::setenv("HOME", home.c_str(), 1);
    ::setenv("SOMA_HOME", (home / ".soma").c_str(), 1);
    ::unsetenv("SOMA_PASSPHRASE");
    std::vector<char*> words;
    for (auto& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  ~typed_program() {
    if (id_ > 0) {
      ::kill(-id_, SIGKILL);
      ::kill(id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
    ::close(terminal_);
    ::close(screen_);
  }
  typed_program(const typed_program&) = delete;
  typed_program& operator=(const typed_program&) = delete;

  void type(const std::string& text) const {
    REQUIRE(::write(screen_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void send(int number) const { ::kill(id_, number); }
  [[nodiscard]] bool shows_typing() const {
    termios now{};
    REQUIRE(::tcgetattr(terminal_, &now) == 0);
    return (now.c_lflag & ECHO) != 0;
  }
  /// Waits until the terminal shows, or does not show, what is typed.
  [[nodiscard]] bool comes_to_show(bool wanted) const {
    for (int i = 0; i < 1'000 && shows_typing() != wanted; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return shows_typing() == wanted;
  }
  /// Reads the screen until the text has come that was not read before; false after 20 s without.
  [[nodiscard]] bool shows(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      if (const auto at = unread_.find(text); at != std::string::npos) {
        unread_.erase(0, at + text.size());
        return true;
      }
      read_screen();
    }
    return false;
  }
  /// The status of waitpid. What comes onto the screen meanwhile is read.
  [[nodiscard]] int wait() {
    int status = 0;
    for (int i = 0; i < 200 && ::waitpid(id_, &status, WNOHANG) == 0; ++i) read_screen();
    if (::kill(id_, 0) == 0) return -1;
    id_ = -1;
    read_screen();
    return status;
  }
  [[nodiscard]] const std::string& unread() const { return unread_; }

 private:
  void read_screen() {
    pollfd there{screen_, POLLIN, 0};
    if (::poll(&there, 1, 100) <= 0) return;
    std::array<char, 4'096> part{};
    const auto got = ::read(screen_, part.data(), part.size());
    if (got > 0) unread_.append(part.data(), static_cast<std::size_t>(got));
  }

  int screen_, terminal_ = -1;
  pid_t id_ = -1;
  std::string unread_;
};

const std::string binary = SOMA_BINARY;

}  // namespace

TEST_CASE("a passphrase is typed unseen, and after both questions typing is seen again") {
  const soma_user user;
  typed_program making(user.folder().path(), {binary, "wallet", "new", "alice"});
  for (const auto* question : {"passphrase: ", "once more:  "}) {
    REQUIRE(making.shows(question));
    REQUIRE(making.comes_to_show(false));
    making.type("of many words\n");
  }
  const auto ended = making.wait();
  CHECK(WIFEXITED(ended));
  CHECK(WEXITSTATUS(ended) == 0);
  CHECK(making.shows_typing());
  CHECK(making.unread().find("many words") == std::string::npos);
  CHECK(fs::exists(user.at(".soma/keys/alice.pem")));
}

TEST_CASE("a signal at a passphrase gives the terminal back as it was, and no key is made") {
  const soma_user user;
  struct end {
    std::string typed;
    int sent = 0;
    bool is_by_signal = false;
  };
  const std::vector<end> ends{{"\x03", 0, false},   {"\x1c", 0, true},   {"", SIGINT, false},
                              {"", SIGTERM, false}, {"", SIGHUP, false}, {"", SIGQUIT, true},
                              {"\x04", 0, false}};
  for (const auto& one : ends) {
    CAPTURE(one.typed);
    CAPTURE(one.sent);
    typed_program making(user.folder().path(), {binary, "wallet", "new", "alice"});
    REQUIRE(making.shows("passphrase: "));
    REQUIRE(making.comes_to_show(false));
    if (one.sent != 0) {
      making.send(one.sent);
    } else {
      making.type(one.typed);
    }
    const auto ended = making.wait();
    CHECK(WIFSIGNALED(ended) == one.is_by_signal);
    if (!one.is_by_signal) {
      CHECK(WEXITSTATUS(ended) == 1);
      CHECK(making.unread().find("soma: ") != std::string::npos);
    }
    CHECK(making.shows_typing());
    CHECK_FALSE(fs::exists(user.at(".soma/keys/alice.pem")));
  }
}

TEST_CASE("a passphrase that is halted by ^Z is asked for again when the command goes on") {
  const soma_user user;
  // Only below a shell with job control does ^Z halt a program.
  typed_program shell(user.folder().path(), {"/bin/bash", "-c",
                                             "set -m; " + binary +
                                                 " wallet new alice; echo HAL''TED; read -r; fg; "
                                                 "echo ended with $?"});
  REQUIRE(shell.shows("passphrase: "));
  REQUIRE(shell.comes_to_show(false));
  shell.type("half\x1a");
  REQUIRE(shell.shows("HALTED"));
  CHECK(shell.comes_to_show(true));
  shell.type("\n");
  for (const auto* question : {"passphrase: ", "once more:  "}) {
    REQUIRE(shell.shows(question));
    REQUIRE(shell.comes_to_show(false));
    shell.type("words\n");
  }
  CHECK(shell.shows("ended with 0"));
  CHECK(shell.comes_to_show(true));
  CHECK(fs::exists(user.at(".soma/keys/alice.pem")));
}
