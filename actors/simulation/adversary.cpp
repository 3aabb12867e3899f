#include "actors/simulation/adversary.hpp"

#include <algorithm>

namespace soma::simulation {
namespace {

constexpr std::size_t heard_limit = 64;
constexpr std::size_t blocks_limit = 16;
constexpr std::size_t certificates_limit = 96;

template <class List>
void trim(List& list, std::size_t limit) {
  while (list.size() > limit) list.pop_front();
}

}  // namespace

adversary::adversary(engine& owner)
    : engine_(owner), dice_(owner.plan.seed, 4), awake_(byzantine_nodes(owner.plan) != 0) {}

void adversary::keep(const certificate& c) {
  const auto is_same = [&](const certificate& other) { return other.statement == c.statement; };
  if (std::ranges::any_of(certificates_, is_same)) return;
  certificates_.push_back(c);
  trim(certificates_, certificates_limit);
}

void adversary::keep(const block_ptr& b) {
  const auto is_same = [&](const block_ptr& other) { return other->id == b->id; };
  if (std::ranges::any_of(blocks_, is_same)) return;
  blocks_.push_back(b);
  trim(blocks_, blocks_limit);
}

void adversary::hear(const message_ptr& message) {
  if (!awake_) return;
  heard_.push_back(message);
  trim(heard_, heard_limit);
  if (const auto* p = std::get_if<peer::proposal>(message.get())) {
    keep(p->block);
    if (p->parent) keep(*p->parent);
  } else if (const auto* c = std::get_if<peer::certified>(message.get())) {
    keep(c->certificate);
  }
}

node_set adversary::some() {
  auto set = static_cast<node_set>(dice_.next()) & engine_.everybody();
  if (dice_.chance(300)) set &= static_cast<node_set>(dice_.next());
  return set;
}

member_vote adversary::vote(node& n, const vote_statement& statement) {
  const auto* members = engine_.all.members(statement.epoch.value);
  const auto seat = members == nullptr ? std::nullopt : members->seat_of(n.signer.key());
  return {statement, seat.value_or(seat_index{}), n.signer.sign_vote(statement)};
}

void adversary::tell(node& n, node_set to, peer_message message) {
  engine_.broadcast(n, to & ~(node_set{1} << n.node_index),
                    std::make_shared<const peer_message>(std::move(message)));
}

// Each of two twins talks to its own part of the network. The parts change every two seconds, and
// in every third of these periods both twins talk to all nodes.
node_set adversary::twins_share(const node& n, node_set to) {
  const auto when = engine_.now_ms() / 2'000;
  const auto parts = static_cast<node_set>(mix(engine_.plan.seed, n.identity, when));
  bool is_first = true;
  for (const auto& other : engine_.nodes) {
    if (other->identity != n.identity || other->node_index == n.node_index) continue;
    to &= ~(node_set{1} << other->node_index);
    is_first = n.node_index < other->node_index;
  }
  if (when % 3 == 0) return to;
  return to & (is_first ? parts : ~parts);
}

void adversary::send(node& n, node_set to, const message_ptr& message) {
  if (n.does(behaviour::silent)) {
    ++engine_.counts[coverage::silenced];
    return;
  }
  if (n.does(behaviour::twin)) {
    ++engine_.counts[coverage::twin_messages];
    to = twins_share(n, to);
  }
  const auto* proposal = std::get_if<peer::proposal>(message.get());
  if (n.does(behaviour::equivocate) && proposal != nullptr && dice_.chance(750)) {
    const auto& header = proposal->block->block.header;
    const auto* members = engine_.all.members(header.epoch.value);
    if (members != nullptr && members->seat_of(n.signer.key()) == header.proposer) {
      return equivocate(n, to, *proposal);
    }
  }
  const auto* response = std::get_if<peer::response>(message.get());
  if (n.does(behaviour::false_answers) && response != nullptr && dice_.chance(600)) {
    ++engine_.counts[coverage::false_answers];
    return tell(n, to, spoiled(*response));
  }
  if (n.does(behaviour::withhold)) return withhold(n, to, message);
  engine_.broadcast(n, to, message);
}

void adversary::withhold(node& n, node_set to, const message_ptr& message) {
  const auto how = dice_.below(6);
  if (how >= 3) return engine_.broadcast(n, to, message);
  ++engine_.counts[coverage::withheld];
  if (how < 2) return engine_.broadcast(n, to & some(), message);
  for (std::uint32_t other = 0; other < engine_.nodes.size(); ++other) {
    if ((to >> other & 1) != 0)
      engine_.deliver(n.node_index, other, message, dice_.below(15'000'000));
  }
}

void adversary::act(node& n) {
  if (n.does(behaviour::silent)) return;
  if (n.does(behaviour::vote_for_all) && dice_.chance(700)) vote_for_all(n);
  if (n.does(behaviour::equivocate) && dice_.chance(300)) propose_oddly(n);
  if (n.does(behaviour::forge) && dice_.chance(500)) forge(n);
  if (n.does(behaviour::replay) && dice_.chance(500)) replay(n);
  if (n.does(behaviour::far_votes) && dice_.chance(100)) far_votes(n);
}

void adversary::vote_for_all(node& n) {
  const auto epoch = n.core->epoch();
  std::size_t count = 0;
  for (auto it = blocks_.rbegin(); it != blocks_.rend() && count < 4; ++it) {
    const auto& header = (*it)->block.header;
    if (header.epoch != epoch) continue;
    ++count;
    ++engine_.counts[coverage::votes_for_all];
    const auto notarized = vote(n, {vote_kind::notarize, epoch, header.view, (*it)->id});
    const auto finalized = vote(n, {vote_kind::finalize, epoch, header.view, (*it)->id});
    const auto skipped = vote(n, {vote_kind::skip, epoch, header.view, {}});
    tell(n, some(), peer::vote{notarized});
    tell(n, some(), peer::vote{finalized});
    tell(n, some(), peer::vote{skipped});
  }
  tell(n, some(), peer::vote{vote(n, {vote_kind::skip, epoch, n.core->view(), {}})});
}

void adversary::replay(node& n) {
  if (heard_.empty()) return;
  const auto count = 1 + dice_.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    ++engine_.counts[coverage::replayed];
    const auto to = some() & ~(node_set{1} << n.node_index);
    engine_.broadcast(n, to, heard_[dice_.below(heard_.size())]);
  }
}

void adversary::far_votes(node& n) {
  const auto epoch = n.core->epoch();
  const auto first = n.core->view().next();
  const auto to = some();
  ++engine_.counts[coverage::far_votes];
  for (auto view = first; view < first + 72; view = view + 1 + dice_.below(4)) {
    const auto block = id_from<block_id>(dice_.next());
    const auto kind = dice_.chance(500) ? vote_kind::notarize : vote_kind::finalize;
    tell(n, to, peer::vote{vote(n, {kind, epoch, view, block})});
    if (dice_.chance(300)) tell(n, to, peer::vote{vote(n, {vote_kind::skip, epoch, view, {}})});
  }
}

}  // namespace soma::simulation
