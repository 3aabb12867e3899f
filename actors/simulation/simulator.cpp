#include "actors/simulation/simulator.hpp"

#include <algorithm>
#include <type_traits>

#include "actors/simulation/adversary.hpp"

namespace soma::simulation {
namespace {

constexpr std::uint64_t held_bytes_limit = std::uint64_t{32} << 20;
constexpr std::uint64_t gossip_us = 3'000'000;
constexpr std::size_t unfinalized_limit = 64;

std::string text_of(const consensus::event& e) {
  static constexpr std::array names{"begins",
                                    "transactions wait",
                                    "timer over:",
                                    "is connected to",
                                    "loses its connection to",
                                    "hears from",
                                    "has written",
                                    "cannot write",
                                    "can write again",
                                    "has executed",
                                    "failed to execute",
                                    "has committed"};
  static constexpr std::array timers{"view", "propose", "hold", "standstill", "fetch", "listen"};
  static_assert(timers.size() == consensus::timer_kinds);
  const auto number = std::visit(
      [](const auto& x) -> std::string {
        if constexpr (requires { x.kind; }) return timers[static_cast<std::size_t>(x.kind)];
        if constexpr (requires { x.from; })
          return "#" + std::to_string(x.from & 0xff) + ": " + to_text(*x.message);
        if constexpr (requires { x.peer; }) return "#" + std::to_string(x.peer & 0xff);
        if constexpr (requires { x.ticket; }) return std::to_string(x.ticket);
        return "";
      },
      e);
  return names[e.index()] + (number.empty() ? number : " " + number);
}

}  // namespace

engine::engine(fault_plan planned, run_options opts)
    : plan(std::move(planned)),
      options(std::move(opts)),
      keys(plan.seed),
      toy(plan, keys),
      all(plan, keys, toy),
      the_adversary(std::make_unique<adversary>(*this)),
      network_dice(plan.seed, 1),
      local_dice(plan.seed, 2),
      fault_dice(plan.seed, 3),
      links(plan.before),
      local(plan.local) {
  SOMA_ASSERT(plan.nodes.size() <= max_nodes && !plan.committees.empty(), "a plan that can be run");
  for (std::uint32_t i = 0; i < plan.nodes.size(); ++i) {
    nodes.push_back(std::make_unique<node>(i, plan.nodes[i], keys, toy, all));
    const auto node_index = static_cast<std::uint8_t>(i);
    if (plan.nodes[i].start_ms != 0) ++counts[coverage::late_start];
    nodes.back()->wants_out = plan.nodes[i].start_ms != 0;
    after(plan.nodes[i].start_ms * 1000 + fault_dice.below(20'000),
          {event_kind::start, node_index});
    after(gossip_us + fault_dice.below(gossip_us), {event_kind::gossip, node_index});
    after(200'000 + fault_dice.below(200'000), {event_kind::adversary_acts, node_index});
  }
  for (std::size_t i = 0; i < plan.faults.size(); ++i) {
    after(plan.faults[i].at_ms * 1000, {event_kind::fault_begins, 0, 0, 0, i});
    after(plan.faults[i].until_ms * 1000, {event_kind::fault_ends, 0, 0, 0, i});
  }
  active.resize(plan.faults.size());
  phase.resize(plan.faults.size());
  group.resize(plan.faults.size());
  after(plan.heal_ms * 1000, {event_kind::heal});
  if (plan.transactions_per_s != 0) after(500'000, {event_kind::submit});
}

engine::~engine() = default;

bool engine::step() {
  if (all.violation() || queue.empty()) return false;
  now_us = std::max(now_us, queue.next_us());
  auto h = queue.pop();
  ++events;
  handle(h);
  if (events > options.max_events) all.fail("too many events");
  return !all.violation();
}

void engine::handle(happening& h) {
  auto& n = *nodes[h.node_index];
  const auto is_same_lifecycle = n.up && n.lifecycle == h.lifecycle;
  switch (h.kind) {
    case event_kind::start:
      if (h.number == 0) n.wants_out = false;  // 1: it follows a crash that belongs to no fault
      return start(n);
    case event_kind::message:
      return arrive(h);
    case event_kind::connect:
      return connect(n, *nodes[h.from]);
    case event_kind::timer: {
      const auto kind = static_cast<consensus::timer_kind>(h.number & 0xff);
      if (is_same_lifecycle && n.timers[h.number & 0xff] == h.number >> 8) {
        feed(n, consensus::timer_fired{kind});
      }
      return;
    }
    case event_kind::write_done:
      if (is_same_lifecycle) write_done(n, h.number);
      return;
    case event_kind::commit_done:
      if (is_same_lifecycle) commit_done(n);
      return;
    case event_kind::executed:
      if (is_same_lifecycle) {
        auto result = n.answers.extract(h.number);
        feed(n, consensus::executed{h.number, std::move(result.mapped())});
      }
      return;
    case event_kind::execution_failed:
      if (is_same_lifecycle) feed(n, consensus::execution_failed{h.number, h.from != 0});
      return;
    case event_kind::fault_begins:
      return begin(h.number);
    case event_kind::fault_ends:
      return end(h.number);
    case event_kind::fault_ticks:
      return tick(h.number);
    case event_kind::submit: {
      auto& at = *nodes[fault_dice.below(nodes.size())];
      const auto account = static_cast<std::uint8_t>(fault_dice.below(accounts / 2));
      if (at.up && at.correct()) submit(at, account);
      const auto rate = plan.transactions_per_s;
      if (rate != 0) after(fault_dice.below(2'000'000 / rate) + 1, {event_kind::submit});
      return;
    }
    case event_kind::gossip: {
      // The pool is sent again from time to time, because transactions may be lost on their way.
      after(gossip_us, {event_kind::gossip, h.node_index});
      if (!n.up || n.waiting.empty()) return;
      pass_on(n, n.waiting.all());
      return;
    }
    case event_kind::adversary_acts:
      if (n.up && !n.correct()) the_adversary->act(n);
      after(100'000 + fault_dice.below(400'000), {event_kind::adversary_acts, h.node_index});
      return;
    case event_kind::heal:
      return heal();
    case event_kind::wake:
      return;
  }
}

std::uint64_t engine::local_ms(const node& n) const {
  const auto real = n.frozen_at_ms.value_or(now_ms());
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(real) + n.clock_offset_ms);
}

void engine::feed(node& n, const consensus::event& e) {
  if (!n.up || n.stopped) return;
  trace(n.node_index, [&] { return text_of(e); });
  note(mix(now_us, n.node_index, e.index()));
  // An event that an effect causes at once waits until all effects of the present event are
  // applied.
  if (n.runner->is_running()) return n.runner->answer(e);
  n.runner->run(e, local_ms(n));
}

// Checks S6 and S11 after each event. S10 is checked when a core wants to write.
void engine::check_after(node& n, const consensus::event& e) {
  if (!n.correct()) return;
  const auto& core = *n.core;
  const auto epoch = core.epoch().value;
  const auto view = core.view();
  const auto height = core.base().height.value;
  const auto forward = epoch > n.last_epoch || (epoch == n.last_epoch && view >= n.last_view);
  const auto begins = std::holds_alternative<consensus::started>(e);
  if ((!forward && !begins) || height < n.last_height) {
    all.fail("S6: node " + std::to_string(n.node_index) + " went back from " +
             std::to_string(n.last_epoch) + "." + std::to_string(n.last_view.value) + " to " +
             std::to_string(epoch) + "." + std::to_string(view.value));
  }
  if (view != n.last_view || epoch != n.last_epoch) {
    trace(n.node_index, [&] {
      return "enters view " + std::to_string(epoch) + "." + std::to_string(view.value);
    });
  }
  n.last_epoch = epoch;
  n.last_view = view;
  n.last_height = height;
  if (begins) {
    for (const auto& [view_kind, c] : n.disk().record.certificates) {
      if (n.disk().record.epoch.value == epoch && view <= view_kind.first) {
        all.fail("S6: node " + std::to_string(n.node_index) +
                 " starts below what it holds certified");
      }
    }
  }
  if (n.steps % 64 != 0) return;
  const auto held = core.held_bytes();
  n.max_held_bytes = std::max(n.max_held_bytes, held);
  // A core keeps each block that it notarized until the block's view is past: at most one a view.
  const auto blocks_limit = 4 * unfinalized_limit + (view - core.base().view);
  if (held > held_bytes_limit || core.unfinalized_blocks() > blocks_limit) {
    all.fail("S11: node " + std::to_string(n.node_index) + " holds " + std::to_string(held) +
             " bytes");
  }
}

outcome engine::result() const {
  outcome out;
  out.ok = !all.violation();
  out.violation = all.violation().value_or("");
  out.events = events;
  out.virtual_ms = now_ms() - genesis_ms;
  out.blocks = all.height();
  out.epochs = all.epochs_closed();
  out.crashes = crashes;
  out.counts = counts;
  out.counts[coverage::epochs_closed] = out.epochs;
  out.counts[coverage::views_skipped] = all.views_skipped();
  out.counts[coverage::slashed] = all.tip_state()->slashed.size();
  for (const auto& n : nodes) out.max_held_bytes = std::max(out.max_held_bytes, n->max_held_bytes);
  out.trace_hash = mix(hash, events, out.blocks);
  return out;
}

}  // namespace soma::simulation
