// A process that runs roles until it is asked to stop. It owns the actor system and its
// connections to other processes, the clock and the supervisor, and it prints notes for the
// operator.
#pragma once

#include <caf/actor_system.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/cluster/cluster.hpp"
#include "actors/cluster/system_config.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "deploy/soma/shell/failure.hpp"

namespace soma::cli {

class supervised_process {
 public:
  explicit supervised_process(const std::optional<cluster::cluster_identity>& identity);
  ~supervised_process();

  [[nodiscard]] caf::actor_system& system() { return system_; }
  [[nodiscard]] const clock::clock_actor& clock() const { return clock_; }

  struct duties {
    /// Starts all roles and adds them to the list, as supervisor_ports::start says. The supervisor
    /// calls it again after a failure.
    std::function<expected<void, supervisor::role_failure>(std::vector<supervisor::supervised>&)>
        start;
    /// Is called before the roles are stopped.
    std::function<void()> before_stop;
    /// Is called once all roles run for the first time, on the thread that called run().
    std::function<void()> on_first_up;
    /// Is called once a second on the same thread. A failure ends the process: what it works on is
    /// not there any more, and starting roles again would not bring it back.
    std::function<outcome()> check;
  };
  /// Runs the roles. Returns, also by an exception, only when every role has ended: with success
  /// once a stop was asked for, and with a failure if the roles cannot be started and only a person
  /// can change that, as when an address is taken. Once they have run, and while a role of another
  /// machine is missing, a failure does not end it, but is printed as a note on stderr.
  [[nodiscard]] outcome run(duties what);
  /// Takes a line for the operator, which run() prints on stderr. Any thread may call it.
  void note(std::string line);

 private:
  cluster::system_config config_;
  caf::actor_system system_;
  clock::clock_actor clock_;
  std::mutex mutex_;
  std::vector<std::string> notes_;  // wait for the thread that prints them
  unsigned times_up_ = 0;
  std::optional<supervisor::role_failure> no_start_;  // why the roles never ran
};

}  // namespace soma::cli
