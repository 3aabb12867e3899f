#include "deploy/soma/shell/stop.hpp"

#include <atomic>
#include <csignal>

namespace soma::cli {
namespace {

std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free,
              "a signal handler may only touch lock-free atomics");

void on_signal(int number) {
  if (stop_flag.exchange(true)) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

}  // namespace

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // SA_RESTART is not set, so that a read that waits for a person or a peer returns and the caller
  // can check the flag.
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that is closed asks for a stop, too, unless the caller wants it to be ignored, as
  // nohup does.
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {
    sigaction(SIGHUP, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // writing past the size limit then fails, as on a full disk
}

bool stop_requested() noexcept {
  return stop_flag.load(std::memory_order_relaxed);
}

void request_stop() noexcept {
  stop_flag.store(true);
}

}  // namespace soma::cli
