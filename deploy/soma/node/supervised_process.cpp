#include "deploy/soma/node/supervised_process.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <caf/scoped_actor.hpp>
#include <chrono>
#include <thread>

#include "actors/clock/clock.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"

namespace soma::cli {
namespace {

/// Raises the limit of open files to 65,536 if the system allows it. Many clients would soon use up
/// the usual limit of about a thousand, and CAF's network layer does not survive that.
void take_file_descriptors() {
  constexpr rlim_t enough = 65'536;
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= enough) return;
  now.rlim_cur = std::min(now.rlim_max, enough);
  (void)::setrlimit(RLIMIT_NOFILE, &now);
}

/// A connection to another machine that does not answer may hold an end up. What is on the disk is
/// whole at every moment, so then the process ends without waiting.
constexpr unsigned seconds_to_leave = 20;

}  // namespace

supervised_process::supervised_process(const std::optional<cluster::cluster_identity>& identity)
    : config_(identity ? cluster::system_config(*identity) : cluster::system_config()),
      system_(config_),
      clock_(system_.spawn(clock::clock, clock::clock_ports{unix_now_ms})) {
  take_file_descriptors();
}

supervised_process::~supervised_process() {
  caf::anon_send_exit(clock_, caf::exit_reason::user_shutdown);
}

void supervised_process::note(std::string line) {
  const std::lock_guard lock(mutex_);
  notes_.push_back(std::move(line));
}

outcome supervised_process::run(duties what) {
  supervisor::supervisor_ports ports;
  ports.clock = clock_;
  ports.start = std::move(what.start);
  ports.before_stop = std::move(what.before_stop);
  ports.on_up = [this] {
    const std::lock_guard lock(mutex_);
    if (times_up_++ != 0) notes_.emplace_back("all roles run again");
  };
  ports.on_failure = [this](const supervisor::role_failure& failure, std::uint32_t pause_ms) {
    {
      const std::lock_guard lock(mutex_);
      if (times_up_ == 0 && !failure.is_elsewhere) {
        no_start_ = failure;
        return;
      }
    }
    note(failure.role + ": " + failure.why + "; trying again in " + std::to_string(pause_ms) +
         " ms");
  };
  // The supervisor has a thread of its own, since connecting to other processes blocks.
  const auto head =
      system_.spawn<caf::detached>(supervisor::supervisor, ports, supervisor::supervisor_options{});
  // The roles are ended in whatever way this function is left, and before anything that they use,
  // such as the lock of a home, is given back.
  struct roles_end {
    caf::actor_system& system;
    const supervisor::supervisor_actor& head;
    ~roles_end() {
      leave_within(seconds_to_leave);
      caf::scoped_actor self(system);
      self->send_exit(head, caf::exit_reason::user_shutdown);
      self->wait_for(head);
    }
  } const at_the_end{system_, head};
  bool told = false;
  auto next_check = std::chrono::steady_clock::now();
  while (!stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::vector<std::string> notes;
    bool is_up = false;
    std::optional<supervisor::role_failure> no_start;
    {
      const std::lock_guard lock(mutex_);
      notes.swap(notes_);
      is_up = times_up_ != 0;
      no_start = no_start_;
    }
    for (const auto& line : notes) note_line(line);
    if (no_start) {
      return failed("cannot start " + no_start->role, no_start->why,
                    "change the configuration, or free what it names, and start again");
    }
    if (is_up && !std::exchange(told, true) && what.on_first_up) what.on_first_up();
    if (const auto now = std::chrono::steady_clock::now(); what.check && now >= next_check) {
      next_check = now + std::chrono::seconds(1);
      if (auto checked = what.check(); !checked) return checked;
    }
  }
  return {};
}

}  // namespace soma::cli
