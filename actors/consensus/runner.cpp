#include "actors/consensus/runner.hpp"

#include <utility>

#include "messages/values/assert.hpp"

namespace soma::consensus {

runner::runner(simplex core, effect_ports& machine) : core_(std::move(core)), machine_(machine) {}

void runner::run(event first, std::uint64_t now_ms) {
  SOMA_ASSERT(!running_, "an event that comes of an effect is its answer");
  SOMA_ASSERT(events_.empty() || stopped_, "nothing is left of the event before");
  if (stopped_) return;
  running_ = true;
  events_.push_back(std::move(first));
  while (!events_.empty() && !stopped_) {
    const auto next = std::move(events_.front());
    events_.pop_front();
    auto effects = core_.step(next, now_ms);
    machine_.on_step(next);
    for (auto& wanted : effects) {
      if (stopped_) break;
      std::visit([&](auto& e) { machine_.apply(std::move(e)); }, wanted);
    }
  }
  running_ = false;
}

void runner::answer(event what) {
  SOMA_ASSERT(running_, "only what is being carried out is answered at once");
  events_.push_back(std::move(what));
}

}  // namespace soma::consensus
