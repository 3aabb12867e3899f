// The supervisor of a process. Roles get handles of each other when they are spawned, so they live
// as one group. When one of them ends, the supervisor stops all of them, the last started first,
// and starts the whole group anew after a pause, which doubles with each failure. Roles of other
// processes are watched, too, since their handles become invalid in the same way; but they are not
// stopped. What must hold:
//   - The group is started only after all roles of this process from the last start have ended,
//     also of a start that failed.
//   - After an exit message all roles are stopped in the same order; then the supervisor ends.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actors/clock/clock_actor.hpp"
#include "actors/supervisor/supervisor_actor.hpp"
#include "messages/values/expected.hpp"

namespace soma::supervisor {

struct supervised {
  std::string name;
  caf::strong_actor_ptr role;
  bool is_ours = true;
};

template <class Handle>
[[nodiscard]] supervised supervise(std::string name, const Handle& role, bool is_ours = true) {
  return {std::move(name), caf::actor_cast<caf::strong_actor_ptr>(role), is_ours};
}

struct role_failure {
  std::string role;
  std::string why;
  /// True if another machine has to do something first, so that trying again is all that helps.
  bool is_elsewhere = false;
};

struct supervisor_ports {
  clock::clock_actor clock;
  /// Spawns the whole group, in the order in which roles depend on each other, and adds each role
  /// to `all` as soon as it is there. If it fails or throws, the supervisor stops the roles that it
  /// has added. If it blocks, the supervisor has to be spawned detached.
  std::function<expected<void, role_failure>(std::vector<supervised>& all)> start;
  // The next three may be left out. They run in the supervisor's context.
  std::function<void()> on_up;
  std::function<void(const role_failure&, std::uint32_t pause_ms)> on_failure;
  std::function<void()> before_stop;  // stops listening before any role is asked to end
};

struct supervisor_options {
  std::uint32_t first_pause_ms = 200;
  std::uint32_t longest_pause_ms = 10'000;
  std::uint32_t calm_ms = 60'000;  // so long without a failure makes the next pause short again
};

struct supervisor_state {
  enum class stage : std::uint8_t { pausing, running, stopping, leaving };
  struct record {
    std::string name;
    bool running = false;
    std::uint32_t restarts = 0;
    std::string last_failure;
  };
  stage now = stage::pausing;
  std::vector<supervised> alive;  // in the order in which they were started
  std::vector<record> records;    // in the order in which they were first seen
  std::uint32_t pause_ms = 0;
  std::uint64_t generation = 0;
};

supervisor_actor::behavior_type supervisor(
    supervisor_actor::stateful_pointer<supervisor_state> self, supervisor_ports ports,
    supervisor_options options);

}  // namespace soma::supervisor
