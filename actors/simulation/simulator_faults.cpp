// The faults of the plan: how they begin, tick and end, and how everything heals.
#include <algorithm>
#include <bit>

#include "actors/simulation/simulator.hpp"

namespace soma::simulation {
namespace {

constexpr std::uint64_t least_tick_ms = 50;

}  // namespace

void engine::cut_by(const fault& f, std::size_t number) {
  const auto split = [&](node_set one) {
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
      blocked[i] |= (one >> i & 1) != 0 ? everybody() & ~one : one;
    }
  };
  switch (f.kind) {
    case fault_kind::cut:
      for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        if ((f.nodes >> i & 1) != 0) blocked[i] |= f.others;
      }
      return;
    case fault_kind::partition:
      return split(f.nodes);
    case fault_kind::leader_apart:
      return split(group[number]);
    case fault_kind::flapping:
      if (phase[number]) split(f.nodes);
      return;
    case fault_kind::ring:
      for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        const auto size = static_cast<std::uint32_t>(nodes.size());
        const auto left = node_set{1} << (i + size - 1) % size;
        const auto right = node_set{1} << (i + 1) % size;
        blocked[i] |= everybody() & ~(left | right);
      }
      return;
    default:
      return;
  }
}

void engine::begin(std::size_t number) {
  if (healed) return;
  const auto& f = plan.faults[number];
  trace(whole_network, [&] { return "begins: " + to_text(f); });
  ++counts[began(f.kind)];
  active[number] = true;
  phase[number] = true;
  if (f.kind == fault_kind::slow_messages) slow_classes |= std::uint32_t{1} << f.amount;
  if (f.kind == fault_kind::flapping || f.kind == fault_kind::leader_apart) tick(number);
  for (auto& each : nodes) {
    auto& n = *each;
    if ((f.nodes >> n.node_index & 1) == 0) continue;
    switch (f.kind) {
      case fault_kind::disconnect:
        ++counts[coverage::disconnected];
        no_connection[n.node_index] = everybody();
        for (auto& other : nodes) {
          no_connection[other->node_index] |= node_set{1} << n.node_index;
          disconnect(n, *other);
        }
        break;
      case fault_kind::clock_jump:
        ++counts[coverage::clock_jumped];
        n.clock_offset_ms += static_cast<std::int64_t>(f.amount);
        break;
      case fault_kind::clock_frozen:
        ++counts[coverage::clock_frozen];
        n.frozen_at_ms = now_ms();
        break;
      case fault_kind::disk_full:
        n.disk_full = true;
        break;
      case fault_kind::disk_slow:
        n.disk_slow_ms = f.amount;
        break;
      case fault_kind::crash:
      case fault_kind::lose_record:
      case fault_kind::lose_everything:
      case fault_kind::lose_ledger:
        ++counts[coverage::crashed_by_plan];
        n.wants_out = true;
        crash(n, 500);
        if (f.kind == fault_kind::lose_record || f.kind == fault_kind::lose_everything) {
          lose_record(n);
        }
        if (f.kind == fault_kind::lose_everything || f.kind == fault_kind::lose_ledger) {
          n.chain.clear();
          ++counts[coverage::ledger_lost];
        }
        break;
      case fault_kind::bad_executor:
        n.lies_executing = true;
        break;
      case fault_kind::stuck_executor:
        n.fails_executing = true;
        break;
      default:
        break;
    }
  }
  find_cuts();
}

void engine::end(std::size_t number) {
  if (!active[number]) return;
  const auto& f = plan.faults[number];
  trace(whole_network, [&] { return "ends: " + to_text(f); });
  active[number] = false;
  if (f.kind == fault_kind::slow_messages) slow_classes &= ~(std::uint32_t{1} << f.amount);
  for (auto& each : nodes) {
    auto& n = *each;
    if ((f.nodes >> n.node_index & 1) == 0) continue;
    switch (f.kind) {
      case fault_kind::disconnect:
        no_connection[n.node_index] = 0;
        for (auto& other : nodes)
          no_connection[other->node_index] &= ~(node_set{1} << n.node_index);
        for (auto& other : nodes) {
          if (other->node_index != n.node_index) connect(n, *other);
        }
        break;
      case fault_kind::clock_jump:
        n.clock_offset_ms = plan.nodes[n.node_index].clock_offset_ms;
        break;
      case fault_kind::clock_frozen:
        n.frozen_at_ms.reset();
        break;
      case fault_kind::disk_full:
        n.disk_full = false;
        ++counts[coverage::disk_healed];
        feed(n, consensus::store_works{});
        break;
      case fault_kind::disk_slow:
        n.disk_slow_ms = 0;
        break;
      case fault_kind::crash:
      case fault_kind::lose_record:
      case fault_kind::lose_everything:
      case fault_kind::lose_ledger:
        ++counts[coverage::restarted];
        n.wants_out = false;
        start(n);
        break;
      case fault_kind::stuck_executor:
        n.fails_executing = false;
        break;
      default:
        break;  // a bad executor stays bad
    }
  }
  find_cuts();
}

void engine::tick(std::size_t number) {
  if (!active[number]) return;
  const auto& f = plan.faults[number];
  phase[number] = !phase[number];
  if (f.kind == fault_kind::leader_apart) {
    // The leader of the highest view that a node is in, together with `nodes` of the fault.
    view_number best;
    group[number] = f.nodes;
    for (const auto& n : nodes) {
      if (!n->up || n->stopped || n->core->view() < best) continue;
      best = n->core->view();
      const auto& members = n->core->members();
      const auto leader = members.key_of(members.leader(best));
      for (const auto& other : nodes) {
        if (keys.key(other->identity, other->key_version) == leader) {
          group[number] = f.nodes | node_set{1} << other->node_index;
        }
      }
    }
  }
  find_cuts();
  const auto often_ms = std::max<std::uint64_t>(f.amount, least_tick_ms);
  after(often_ms * 1000, {event_kind::fault_ticks, 0, 0, 0, number});
}

void engine::heal() {
  trace(whole_network, [] { return std::string("all is well from here"); });
  for (std::size_t i = 0; i < plan.faults.size(); ++i) end(i);
  healed = true;
  links = plan.after;
  slow_classes = 0;
  blocked.fill(0);
  manual_cuts.fill(0);
  for (auto& n : nodes) {
    n->wants_out = false;
    if (!n->up) come_back(*n, fault_dice.below(300));
  }
}

}  // namespace soma::simulation
