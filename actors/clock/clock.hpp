// The clock over CAF's own timers: real time in production, virtual time under a test coordinator.
#pragma once

#include <functional>
#include <map>

#include "actors/clock/clock_actor.hpp"

namespace soma::clock {

struct clock_ports {
  /// Unix time in milliseconds. The system's clock, or a world's start plus the virtual time that
  /// has passed.
  std::function<std::uint64_t()> now_ms;
};

struct clock_state {
  std::uint64_t next_ticket = 1;
  std::map<std::uint64_t, caf::typed_response_promise<message<schema::Time>>> waiting;
};

/// At most this many may wait at once; one more is answered with an error.
inline constexpr std::size_t max_waiting = 65'536;

clock_actor::behavior_type clock(clock_actor::stateful_pointer<clock_state> self,
                                 clock_ports ports);

}  // namespace soma::clock
