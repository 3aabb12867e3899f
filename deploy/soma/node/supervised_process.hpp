// A process that runs roles until it is asked to stop: the actor system with its way in and out,
// the clock, the supervisor, and what a person reads of it all.
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
    std::function<expected<std::vector<supervisor::supervised>, supervisor::role_failure>()> start;
    std::function<void()> before_stop;
    std::function<void()> on_first_up;  // on the thread that called run
  };
  /// Returns once a stop was asked for and every role has ended. Failures are notes on stderr.
  void run(duties what);
  /// A line for the person who watches; from any thread.
  void note(std::string line);

 private:
  cluster::system_config config_;
  caf::actor_system system_;
  clock::clock_actor clock_;
  std::mutex mutex_;
  std::vector<std::string> notes_;  // of the supervisor, for the thread that prints
  unsigned times_up_ = 0;
};

}  // namespace soma::cli
