// How the lifecycles of nodes begin and end, and what a crash leaves.
#include "actors/simulation/simulator.hpp"

namespace soma::simulation {
namespace {

consensus::peer_number peer_of(const node& n) {
  return n.node_index | static_cast<consensus::peer_number>(n.key_version) << 8;
}

}  // namespace

std::uint16_t engine::key_version_now(const node& n) const {
  for (const auto& seat : n.chain.tip_state()->seats) {
    if (keyring::identity_of(seat.member) == n.identity) {
      return keys.holder_of(seat.consensus_key)->version;
    }
  }
  return n.key_version;
}

void engine::start(node& n) {
  if (n.up || n.wants_out) return;
  n.up = true;
  n.stopped = false;
  ++n.lifecycle;
  n.key_version = key_version_now(n);
  const auto key = keys.key(n.identity, n.key_version);
  n.signer.use(key, n.correct());
  auto& disk = n.disk();
  disk.record.chain = keys.chain();
  disk.record.key = key;
  if (disk.state == consensus::record_state::missing) ++counts[coverage::fenced_starts];
  auto opts = plan.options;
  opts.seed = mix(plan.seed, n.node_index, n.lifecycle);
  // The core of a Byzantine node goes on although another node speaks with its key.
  opts.yields_to_twin = n.correct();
  n.machine = std::make_unique<simulated_machine>(*this, n);
  n.runner = std::make_unique<consensus::runner>(
      consensus::simplex(n.chain.position(), {disk.state, disk.record},
                         {n.signer, n.checker, n.waiting, n.chain}, opts),
      *n.machine);
  n.core = &n.runner->core();
  n.timers.fill(0);
  n.disk_free_us = n.commit_free_us = now_us;
  n.steps = 0;
  n.last_epoch = n.core->epoch().value;
  n.last_view = {};
  n.last_height = n.core->base().height.value;
  trace(n.node_index, [&] { return "starts at height " + std::to_string(n.chain.height()); });
  feed(n, consensus::started{});
  for (const auto& other : nodes) {
    if (!other->up || other->node_index == n.node_index) continue;
    after(network_dice.below(2'000), {event_kind::connect, static_cast<std::uint8_t>(n.node_index),
                                      static_cast<std::uint8_t>(other->node_index)});
  }
}

void engine::connect(node& a, node& b) {
  const auto bit_a = node_set{1} << a.node_index;
  const auto bit_b = node_set{1} << b.node_index;
  if (!a.up || !b.up || (no_connection[a.node_index] & bit_b) != 0) return;
  if ((a.connected & bit_b) != 0) return;
  a.connected |= bit_b;
  b.connected |= bit_a;
  feed(a, consensus::peer_connected{peer_of(b), keys.key(b.identity, b.key_version)});
  feed(b, consensus::peer_connected{peer_of(a), keys.key(a.identity, a.key_version)});
}

void engine::disconnect(node& a, node& b) {
  const auto bit_a = node_set{1} << a.node_index;
  const auto bit_b = node_set{1} << b.node_index;
  if ((a.connected & bit_b) == 0) return;
  a.connected &= ~bit_b;
  b.connected &= ~bit_a;
  feed(a, consensus::peer_gone{peer_of(b)});
  feed(b, consensus::peer_gone{peer_of(a)});
}

void engine::crash(node& n, std::uint32_t writes_kept_permille) {
  if (!n.up) return;
  trace(n.node_index, [] { return std::string("stops"); });
  note(mix(now_us, n.node_index, 99));
  ++crashes;
  // Of the writes and commits on their way to the disk a first part, which chance picks, is
  // durable.
  for (auto& write : n.writes) {
    if (n.disk_full || !local_dice.chance(writes_kept_permille)) break;
    make_durable(n, write.batch);
  }
  for (auto& batch : n.commits) {
    bool unbroken = true;
    for (const auto& b : batch.blocks) {
      unbroken = unbroken && local_dice.chance(writes_kept_permille);
      if (unbroken) append(n, b);
    }
    if (!unbroken) break;
  }
  n.up = false;
  n.core = nullptr;
  n.runner.reset();
  n.machine.reset();
  n.writes.clear();
  n.commits.clear();
  n.results.clear();
  n.answers.clear();
  n.waiting.clear();
  for (const auto& other : nodes) {
    if ((n.connected >> other->node_index & 1) == 0) continue;
    other->connected &= ~(node_set{1} << n.node_index);
    feed(*other, consensus::peer_gone{peer_of(n)});
  }
  n.connected = 0;
}

void engine::come_back(node& n, std::uint64_t after_ms) {
  if (healed) after_ms = std::min<std::uint64_t>(after_ms, 500);
  queue.push(now_us + after_ms * 1000 + 1,
             {event_kind::start, static_cast<std::uint8_t>(n.node_index), 0, 0, 1});
}

void engine::lose_record(node& n) {
  for (auto& [version, disk] : n.records) {
    const auto key = keys.key(n.identity, version);
    disk.state = consensus::record_state::missing;
    disk.record = {};
    disk.lost_in_epoch = all.last_epoch_of(key);
  }
  ++counts[coverage::record_lost];
}

bool engine::crash_is_due(node& n, crash_point where, std::uint32_t permille,
                          const record_batch* write) {
  const auto counts_here = !n.crash_on || (write != nullptr && n.crash_on(*write));
  if (n.crash_where == where && counts_here && --n.crash_in == 0) {
    n.crash_where.reset();
    n.wants_out = true;  // until the scenario restarts it
    return true;
  }
  return !healed && n.correct() && local_dice.chance(permille);
}

}  // namespace soma::simulation
