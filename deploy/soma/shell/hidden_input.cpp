#include "deploy/soma/shell/hidden_input.hpp"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "deploy/soma/shell/stop.hpp"

namespace soma::cli {
namespace {

constexpr std::array asking_for_stop{SIGINT, SIGTERM, SIGHUP};
/// What ^\ and ^Z send. By default the process ends or halts at once.
constexpr std::array sudden{SIGQUIT, SIGTSTP};

std::atomic<int> came{0};

/// While one lives, the terminal does not show what is typed, and all these signals wait: they are
/// let in during wait_for_input() alone.
class hidden_terminal {
 public:
  hidden_terminal() {
    sigset_t waiting;
    sigemptyset(&waiting);
    for (const int number : asking_for_stop) sigaddset(&waiting, number);
    for (const int number : sudden) sigaddset(&waiting, number);
    ::pthread_sigmask(SIG_BLOCK, &waiting, &open_);
    for (std::size_t i = 0; i < sudden.size(); ++i) {
      struct sigaction note {};
      note.sa_handler = [](int number) { came = number; };
      sigemptyset(&note.sa_mask);
      sigaction(sudden[i], nullptr, &before_[i]);
      if (before_[i].sa_handler != SIG_IGN) sigaction(sudden[i], &note, nullptr);
    }
    is_terminal_ = ::tcgetattr(STDIN_FILENO, &shown_) == 0;
    auto hidden = shown_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~hidden_terminal() {
    if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_);
    for (std::size_t i = 0; i < sudden.size(); ++i) sigaction(sudden[i], &before_[i], nullptr);
    ::pthread_sigmask(SIG_SETMASK, &open_, nullptr);
  }
  hidden_terminal(const hidden_terminal&) = delete;
  hidden_terminal& operator=(const hidden_terminal&) = delete;

  /// False after a signal, and after a while without input: a signal may have come to another
  /// thread.
  [[nodiscard]] bool wait_for_input() const {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const timespec a_while{0, 200'000'000};
    return ::ppoll(&input, 1, &a_while, &open_) > 0;
  }

 private:
  sigset_t open_{};
  std::array<struct sigaction, sudden.size()> before_{};
  termios shown_{};
  bool is_terminal_ = false;
};

/// Reads until a line is complete, the input has ended, or a signal has come.
std::optional<std::string> read_line(const hidden_terminal& terminal) {
  std::string line;
  while (came == 0 && !stop_requested()) {
    if (!terminal.wait_for_input()) continue;
    char byte = 0;
    const auto got = ::read(STDIN_FILENO, &byte, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) break;
    if (byte == '\n') return line;
    line += byte;
  }
  return std::nullopt;
}

}  // namespace

bool can_ask() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

std::optional<std::string> ask_hidden(const std::string& question) {
  for (;;) {
    came = 0;
    std::optional<std::string> line;
    {
      const hidden_terminal terminal;
      std::fputs(question.c_str(), stderr);
      line = read_line(terminal);
    }
    std::fputs("\n", stderr);
    leave_if_stop_requested();
    const int number = came.exchange(0);
    if (number == 0) return line;
    std::raise(number);  // after ^Z the process comes back from here when it goes on
  }
}

}  // namespace soma::cli
