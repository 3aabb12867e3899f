#include "actors/simulation/simulated_network.hpp"

#include <algorithm>

#include "actors/simulation/simulator.hpp"

namespace soma::simulation {

network::network(fault_plan p, run_options options)
    : engine_(std::make_unique<engine>(std::move(p), std::move(options))) {}
network::~network() = default;
network::network(network&&) noexcept = default;

std::uint64_t network::now_ms() const {
  return engine_->now_ms() - genesis_ms;
}
bool network::step() {
  return engine_->step();
}

void network::run_for(std::uint64_t ms) {
  run_until([](const network&) { return false; }, ms);
}

bool network::run_until(const std::function<bool(const network&)>& done, std::uint64_t within_ms) {
  auto& e = *engine_;
  const auto until_us = e.now_us + within_ms * 1000;
  e.queue.push(until_us, {event_kind::wake});
  while (!done(*this)) {
    if (e.all.violation() || e.queue.empty() || e.queue.next_us() > until_us) return false;
    e.step();
  }
  return true;
}

bool network::run_blocks(std::uint64_t count, std::uint64_t within_ms) {
  const auto goal = engine_->all.height() + count;
  return run_until(
      [goal](const network& net) {
        return std::ranges::all_of(net.engine_->nodes, [&](const auto& n) {
          return n->wants_out || n->stopped || !n->correct() || n->chain.height() >= goal;
        });
      },
      within_ms);
}

void network::crash(std::uint32_t node_index) {
  auto& n = *engine_->nodes.at(node_index);
  n.wants_out = true;
  engine_->crash(n);
}
void network::restart(std::uint32_t node_index) {
  auto& n = *engine_->nodes.at(node_index);
  n.wants_out = false;
  engine_->start(n);
}
void network::lose_record(std::uint32_t node_index) {
  SOMA_ASSERT(core(node_index) == nullptr, "a disk is lost while its process is down");
  engine_->lose_record(*engine_->nodes.at(node_index));
}
void network::put_back(std::uint32_t node_index, voting_record older) {
  SOMA_ASSERT(core(node_index) == nullptr, "a disk is set back while its process is down");
  engine_->nodes.at(node_index)->disk().record = std::move(older);
}
void network::lose_ledger(std::uint32_t node_index) {
  SOMA_ASSERT(core(node_index) == nullptr, "a disk is lost while its process is down");
  engine_->nodes.at(node_index)->chain.clear();
}
void network::crash_at(std::uint32_t node_index, crash_point where, std::uint32_t count) {
  auto& n = *engine_->nodes.at(node_index);
  n.crash_where = where;
  n.crash_in = count;
  n.crash_on = nullptr;
}
void network::crash_when(std::uint32_t node_index, crash_point where,
                         std::function<bool(const record_batch&)> such) {
  SOMA_ASSERT(where != crash_point::in_commit, "writes have batches, commits have none");
  crash_at(node_index, where, 1);
  engine_->nodes.at(node_index)->crash_on = std::move(such);
}
void network::set_disk_full(std::uint32_t node_index, bool full) {
  auto& n = *engine_->nodes.at(node_index);
  if (n.disk_full && !full) {
    n.disk_full = false;
    engine_->feed(n, consensus::store_works{});
  }
  n.disk_full = full;
}
void network::set_bad_executor(std::uint32_t node_index, bool bad) {
  engine_->nodes.at(node_index)->lies_executing = bad;
}
void network::set_clock_offset(std::uint32_t node_index, std::int64_t ms) {
  engine_->nodes.at(node_index)->clock_offset_ms = ms;
}
void network::set_clock_frozen(std::uint32_t node_index, bool frozen) {
  auto& n = *engine_->nodes.at(node_index);
  n.frozen_at_ms.reset();
  if (frozen) n.frozen_at_ms = engine_->now_ms();
}
void network::cut(node_set from, node_set to) {
  for (std::uint32_t i = 0; i < size(); ++i) {
    if ((from >> i & 1) != 0) engine_->manual_cuts[i] |= to;
  }
}
void network::partition(node_set group) {
  const auto rest = engine_->everybody() & ~group;
  cut(group, rest);
  cut(rest, group);
}
void network::heal_network() {
  engine_->manual_cuts.fill(0);
}
void network::set_links(const link_rates& rates) {
  engine_->links = rates;
}
void network::set_behaviours(std::uint32_t node_index, std::uint32_t behaviours) {
  auto& n = *engine_->nodes.at(node_index);
  n.behaviours = behaviours;
  n.signer.use(engine_->keys.key(n.identity, n.key_version), n.correct());
}
void network::set_filter(
    std::function<bool(std::uint32_t from, std::uint32_t to, const peer_message&)> f) {
  engine_->filter = std::move(f);
}
void network::set_delay(
    std::function<std::uint64_t(std::uint32_t from, std::uint32_t to, const peer_message&)> d) {
  engine_->delay = std::move(d);
}
void network::inject(std::uint32_t from, std::uint32_t to,
                     std::shared_ptr<const peer_message> message) {
  engine_->deliver(from, to, message);
}
member_vote network::signed_by(std::uint32_t node_index, const vote_statement& statement) {
  const auto& n = *engine_->nodes.at(node_index);
  const auto key = engine_->keys.key(n.identity, n.key_version);
  const auto* members = engine_->all.members(statement.epoch.value);
  const auto seat = members == nullptr ? std::nullopt : members->seat_of(key);
  engine_->all.vote_exists(key, statement, false);
  return {statement, seat.value_or(seat_index{}),
          engine_->keys.sign_vote(key, statement, engine_->keys.chain())};
}
std::uint64_t network::submit(std::uint32_t node_index) {
  return engine_->submit(*engine_->nodes.at(node_index), accounts - 1);
}

std::size_t network::size() const {
  return engine_->nodes.size();
}
const consensus::simplex* network::core(std::uint32_t node_index) const {
  return engine_->nodes.at(node_index)->core;
}
std::uint64_t network::height(std::uint32_t node_index) const {
  return engine_->nodes.at(node_index)->chain.height();
}
epoch_number network::epoch(std::uint32_t node_index) const {
  return {engine_->nodes.at(node_index)->chain.tip_state()->epoch};
}
block_ptr network::block_at(std::uint64_t height) const {
  return engine_->all.at(height);
}
const voting_record& network::record(std::uint32_t node_index) const {
  return engine_->nodes.at(node_index)->disk().record;
}
bool network::is_final(std::uint64_t transaction) const {
  return engine_->final_names.contains(engine_->transactions.at(transaction).name);
}
const toy_state& network::state() const {
  return *engine_->all.tip_state();
}
bool network::is_slashed(std::uint16_t identity) const {
  return std::ranges::binary_search(engine_->all.tip_state()->slashed, identity);
}
std::uint64_t network::evidence_reported() const {
  return engine_->reported;
}
std::uint64_t network::sent_bytes(std::uint32_t node_index) const {
  return engine_->nodes.at(node_index)->sent_bytes;
}
std::uint64_t network::sent_messages(std::uint32_t node_index) const {
  return engine_->nodes.at(node_index)->sent_messages;
}
const run_counts& network::counts() const {
  return engine_->counts;
}
std::uint64_t network::trace_hash() const {
  return engine_->result().trace_hash;
}
const std::optional<std::string>& network::violation() const {
  return engine_->all.violation();
}
outcome network::result() const {
  return engine_->result();
}

}  // namespace soma::simulation
