// The clock uses CAF's own timers, which follow real time in production and virtual time in a
// simulated network.
#pragma once

#include <functional>
#include <map>

#include "actors/clock/clock_actor.hpp"

namespace soma::clock {

struct clock_ports {
  /// Unix time in milliseconds: that of the system's clock, or the start of a simulated network
  /// plus the virtual time that has passed.
  std::function<std::uint64_t()> now_ms;
};

struct clock_state {
  std::uint64_t next_ticket = 1;
  std::map<std::uint64_t, caf::typed_response_promise<message<schema::Time>>> waiting;
};

/// The most requests that may wait at the same time. One more is answered with an error.
inline constexpr std::size_t max_waiting = 65'536;

clock_actor::behavior_type clock(clock_actor::stateful_pointer<clock_state> self,
                                 clock_ports ports);

}  // namespace soma::clock
