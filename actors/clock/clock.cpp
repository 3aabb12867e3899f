#include "actors/clock/clock.hpp"

#include <chrono>

#include "actors/interface/describe_error.hpp"

namespace soma::clock {

clock_actor::behavior_type clock(clock_actor::stateful_pointer<clock_state> self,
                                 clock_ports ports) {
  name_exceptions(*self);
  const auto reading = [self, ports] {
    const auto steady = self->clock().now().time_since_epoch();
    return message<schema::Time>::build([&](auto out) {
      out.setUnixMs(ports.now_ms());
      out.setSteadyMs(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(steady).count()));
    });
  };
  return {
      [=](const message<schema::Wait>& wait) -> caf::typed_response_promise<message<schema::Time>> {
        auto promise = self->make_response_promise<message<schema::Time>>();
        if (self->state.waiting.size() >= max_waiting) {
          promise.deliver(caf::make_error(caf::sec::runtime_error, "too many wait for the clock"));
        } else if (const auto ms = wait.root().getMs(); ms == 0) {
          promise.deliver(reading());
        } else {
          const auto ticket = self->state.next_ticket++;
          self->state.waiting.emplace(ticket, promise);
          self->delayed_send(self, std::chrono::milliseconds(ms), ticket);
        }
        return promise;
      },
      [=](std::uint64_t ticket) {
        const auto found = self->state.waiting.find(ticket);
        if (found == self->state.waiting.end()) return;
        found->second.deliver(reading());
        self->state.waiting.erase(found);
      }};
}

}  // namespace soma::clock
