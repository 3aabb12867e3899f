// How a child process ends: for calls that must not return.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

namespace soma::test {

/// The status that waitpid gives; 0 when `act` returned.
inline int status_of(const std::function<void()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);  // the test runner's own report of the signal is not wanted
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// True if an assertion in `act` ends the process.
inline bool asserts(const std::function<void()>& act) {
  const int status = status_of(act);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace soma::test
