#include "actors/supervisor/supervisor.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>

#include <algorithm>

#include "actors/interface/describe_error.hpp"
#include "messages/values/assert.hpp"

namespace soma::supervisor {
namespace {

using stage = supervisor_state::stage;
using self_pointer = supervisor_actor::stateful_pointer<supervisor_state>;

/// What every step needs. Continuations hold a copy.
struct duty {
  self_pointer self;
  supervisor_ports ports;
  supervisor_options options;
};
using duty_ref = std::shared_ptr<const duty>;

void begin(const duty_ref& d);

supervisor_state::record& record_of(supervisor_state& state, const std::string& name) {
  const auto found = std::find_if(state.records.begin(), state.records.end(),
                                  [&](const auto& one) { return one.name == name; });
  if (found != state.records.end()) return *found;
  return state.records.emplace_back(supervisor_state::record{name, false, 0, {}});
}

template <class Then>
void after(const duty_ref& d, std::uint32_t ms, Then then) {
  d->self
      ->request(d->ports.clock, caf::infinite,
                message<schema::Wait>::build([&](auto out) { out.setMs(ms); }))
      .then([then = std::move(then)](const message<schema::Time>&) { then(); });
}

void note_failure(const duty_ref& d, const role_failure& failure) {
  auto& state = d->self->state;
  record_of(state, failure.role).last_failure = failure.why;
  state.pause_ms = state.pause_ms == 0 ? d->options.first_pause_ms
                                       : std::min(state.pause_ms * 2, d->options.longest_pause_ms);
  if (d->ports.on_failure) d->ports.on_failure(failure, state.pause_ms);
}

void pause(const duty_ref& d) {
  auto& state = d->self->state;
  state.now = stage::pausing;
  after(d, state.pause_ms, [d] {
    if (d->self->state.now == stage::pausing) begin(d);
  });
}

/// Asks the last role that is still alive to end. When all have ended, it pauses or ends.
void stop_next(const duty_ref& d) {
  auto& state = d->self->state;
  while (!state.alive.empty() && !state.alive.back().is_ours) {
    d->self->demonitor(caf::actor_cast<caf::actor_addr>(state.alive.back().role));
    record_of(state, state.alive.back().name).running = false;
    state.alive.pop_back();
  }
  if (!state.alive.empty()) {
    d->self->send_exit(state.alive.back().role, caf::exit_reason::user_shutdown);
  } else if (state.now == stage::leaving) {
    d->self->quit(caf::exit_reason::user_shutdown);
  } else {
    pause(d);
  }
}

void stop_all(const duty_ref& d, stage why) {
  d->self->state.now = why;
  if (d->ports.before_stop) d->ports.before_stop();
  stop_next(d);
}

expected<void, role_failure> start_group(const duty_ref& d, std::vector<supervised>& all) {
  try {
    return d->ports.start(all);
  } catch (const std::exception& failure) {
    return make_unexpected(role_failure{"process", failure.what()});
  }
}

void begin(const duty_ref& d) {
  auto& state = d->self->state;
  SOMA_ASSERT(state.now == stage::pausing && state.alive.empty(),
              "no role starts before all of the time before have ended");
  const auto started = start_group(d, state.alive);
  const bool again = state.generation != 0;
  for (const auto& child : state.alive) {
    auto& record = record_of(state, child.name);
    record.running = true;
    record.restarts += started && again;
    d->self->monitor(child.role);
  }
  if (!started) {
    note_failure(d, started.error());
    return stop_all(d, stage::stopping);
  }
  state.now = stage::running;
  ++state.generation;
  if (d->ports.on_up) d->ports.on_up();
  after(d, d->options.calm_ms, [d, generation = state.generation] {
    auto& later = d->self->state;
    if (later.generation == generation && later.now == stage::running) later.pause_ms = 0;
  });
}

void went_down(const duty_ref& d, const caf::down_msg& down) {
  auto& state = d->self->state;
  const auto gone = std::find_if(state.alive.begin(), state.alive.end(), [&](const auto& one) {
    return caf::actor_cast<caf::actor_addr>(one.role) == down.source;
  });
  if (gone == state.alive.end()) return;
  const auto name = gone->name;
  const bool was_asked = std::next(gone) == state.alive.end();
  state.alive.erase(gone);
  record_of(state, name).running = false;
  if (state.now == stage::running) {
    note_failure(d, {name, describe_error(down.reason)});
    stop_all(d, stage::stopping);
  } else if (was_asked) {
    stop_next(d);
  }
}

message<schema::Health> health(const supervisor_state& state) {
  return message<schema::Health>::build([&](auto out) {
    auto roles = out.initRoles(static_cast<unsigned>(state.records.size()));
    for (unsigned i = 0; i < state.records.size(); ++i) {
      roles[i].setName(state.records[i].name);
      roles[i].setRunning(state.records[i].running);
      roles[i].setRestarts(state.records[i].restarts);
      roles[i].setLastFailure(state.records[i].last_failure);
    }
  });
}

}  // namespace

supervisor_actor::behavior_type supervisor(self_pointer self, supervisor_ports ports,
                                           supervisor_options options) {
  name_exceptions(*self);
  const auto d = std::make_shared<const duty>(duty{self, std::move(ports), options});
  self->set_down_handler([d](caf::down_msg& down) { went_down(d, down); });
  self->set_exit_handler([d](caf::exit_msg&) {
    auto& state = d->self->state;
    if (state.now == stage::running) {
      stop_all(d, stage::leaving);
    } else if (state.now == stage::pausing) {
      d->self->quit(caf::exit_reason::user_shutdown);
    } else {
      state.now = stage::leaving;  // the roles are being stopped already
    }
  });
  begin(d);
  return {[self](const message<schema::GetHealth>&) { return health(self->state); }};
}

}  // namespace soma::supervisor
