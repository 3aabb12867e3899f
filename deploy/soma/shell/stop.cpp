#include "deploy/soma/shell/stop.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

namespace soma::cli {
namespace {

constexpr unsigned seconds_to_look = 2;

std::atomic<bool> stop_flag{false};
std::atomic<bool> is_seen{false};     // the work knows of the stop and leaves by itself
std::atomic<bool> must_leave{false};  // the time of leave_within() counts, whatever was seen
std::atomic<int> patient_works{0};
std::atomic<int> times_interrupted{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "a signal handler may only touch lock-free atomics");

void on_signal(int number) {
  if (number != SIGHUP && times_interrupted.fetch_add(1) > 0) {
    std::signal(number, SIG_DFL);
    std::raise(number);
    return;
  }
  if (!stop_flag.exchange(true) && patient_works == 0) ::alarm(seconds_to_look);
}

void on_alarm(int) {
  if (!must_leave && (is_seen || patient_works > 0)) return;
  constexpr std::string_view line =
      "soma: stopped: a signal asked for it before the work was done\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  ::_exit(1);
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
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // writing past the size limit then fails, as on a full disk
}

bool stop_requested() noexcept {
  if (!stop_flag.load(std::memory_order_relaxed)) return false;
  is_seen.store(true, std::memory_order_relaxed);
  return true;
}

void leave_if_stop_requested() {
  if (stop_requested()) throw stopped();
}

patient_stop::patient_stop() {
  ++patient_works;
}

patient_stop::~patient_stop() {
  if (--patient_works == 0 && stop_flag && !is_seen) ::alarm(seconds_to_look);
}

void leave_within(unsigned seconds) noexcept {
  must_leave = true;
  ::alarm(seconds);
}

}  // namespace soma::cli
