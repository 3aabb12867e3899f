// A child process that writes, and reports through a pipe what was acknowledged, until it is
// killed.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <random>
#include <thread>
#include <vector>

namespace soma::test {

using report = std::function<void(std::uint64_t)>;

/// Runs `write` in a child, waits for one of its first reports, chosen at random, kills the child
/// at a random moment after it, and returns all reports. The moment depends on the time between
/// reports, so that the kill strikes in the midst of writing on a slow machine as well as on a fast
/// one.
inline std::vector<std::uint64_t> killed(std::mt19937_64& random,
                                         const std::function<void(const report&)>& write) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(ends[0]);
    for (const int signal : {SIGABRT, SIGSEGV, SIGTERM}) std::signal(signal, SIG_DFL);
    try {
      write([&](std::uint64_t number) {
        if (::write(ends[1], &number, sizeof number) != sizeof number) ::_exit(4);
      });
    } catch (...) {
      ::_exit(3);
    }
    ::_exit(2);
  }
  ::close(ends[1]);
  std::vector<std::uint64_t> reported;
  std::uint64_t number = 0;
  const std::size_t awaited = 1 + random() % 4;
  std::chrono::nanoseconds interval = std::chrono::milliseconds(2);
  for (auto last = std::chrono::steady_clock::now(); reported.size() < awaited;) {
    if (::read(ends[0], &number, sizeof number) != sizeof number) break;
    reported.push_back(number);
    const auto now = std::chrono::steady_clock::now();
    if (reported.size() > 1) interval = now - last;
    last = now;
  }
  std::this_thread::sleep_for(interval * (random() % 1'500) / 1'000);
  ::kill(child, SIGKILL);
  while (::read(ends[0], &number, sizeof number) == sizeof number) reported.push_back(number);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));  // it wrote until the kill and did not fail by itself
  REQUIRE(WTERMSIG(status) == SIGKILL);
  return reported;
}

}  // namespace soma::test
