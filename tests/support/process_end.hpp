// How a process of its own ends that does something: for what must not come back.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

namespace soma::test {

/// As waitpid tells it; 0 when `act` came back.
inline int status_of(const std::function<void()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);  // not the test runner's report of it
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// Whether `act` ends the process by an assertion.
inline bool asserts(const std::function<void()>& act) {
  const int status = status_of(act);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace soma::test
