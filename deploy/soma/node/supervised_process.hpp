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

namespace soma::cli {

class supervised_process {
 public:
  explicit supervised_process(const std::optional<cluster::cluster_identity>& identity);
  ~supervised_process();

  [[nodiscard]] caf::actor_system& system() { return system_; }
  [[nodiscard]] const clock::clock_actor& clock() const { return clock_; }

  struct duties {
    /// Starts all roles. The supervisor calls it again after a failure.
    std::function<expected<std::vector<supervisor::supervised>, supervisor::role_failure>()> start;
    /// Is called before the roles are stopped.
    std::function<void()> before_stop;
    /// Is called once all roles run for the first time, on the thread that called run().
    std::function<void()> on_first_up;
  };
  /// Runs the roles. Returns once a stop was asked for and every role has ended. A failure does not
  /// end it, but is printed as a note on stderr.
  void run(duties what);
  /// Takes a line for the operator, which run() prints on stderr. Any thread may call it.
  void note(std::string line);

 private:
  cluster::system_config config_;
  caf::actor_system system_;
  clock::clock_actor clock_;
  std::mutex mutex_;
  std::vector<std::string> notes_;  // wait for the thread that prints them
  unsigned times_up_ = 0;
};

}  // namespace soma::cli
