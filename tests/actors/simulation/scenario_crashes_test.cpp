// Scenarios 1 to 6: nodes that stop at the worst moment, all nodes that stop at once, and nodes
// that come back without their records.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/actors/simulation/scenario_support.hpp"

using namespace soma;
using namespace soma::simulation;
using namespace soma::simulation::testing;

namespace {

enum class said : std::uint8_t { notarize, skip, finalize, proposal };
constexpr auto all_kinds =
    std::to_array<said>({said::notarize, said::skip, said::finalize, said::proposal});

bool is(const vote_statement& vote, said kind) {
  return (vote.kind == vote_kind::notarize && kind == said::notarize) ||
         (vote.kind == vote_kind::skip && kind == said::skip) ||
         (vote.kind == vote_kind::finalize && kind == said::finalize);
}

/// The vote or the proposal of one kind that a write holds.
struct written {
  std::optional<vote_statement> vote;
  std::optional<std::pair<view_number, block_id>> proposal;
};
std::function<bool(const record_batch&)> with(said kind, written& found) {
  return [kind, &found](const record_batch& b) {
    if (kind == said::proposal && !b.proposed.empty()) found.proposal = b.proposed.front();
    for (const auto& vote : b.votes) {  // the leader's vote for its own block is left out
      if (is(vote, kind) && b.proposed.empty()) found.vote = vote;
    }
    return found.vote || found.proposal;
  };
}

bool is_down(const network& net, std::uint32_t node_index) {
  return net.core(node_index) == nullptr;
}

/// A node stops while a write of this kind is on its way to the disk, and comes back.
shortcoming stops_before_durable(std::uint64_t seed, said kind) {
  auto net = begin(story_plan(seed, size_of_seed(seed)));
  listener all(net);
  if (!net.run_blocks(2, 60'000)) return fails(net, "no blocks at first");
  const auto victim = static_cast<std::uint32_t>(seed % net.size());
  written lost;
  net.crash_when(victim, crash_point::before_durable, with(kind, lost));
  if (kind == said::skip) {  // a view is skipped only if a proposal is missing
    all.drops = [](auto, auto, const peer_message& m) {
      return std::holds_alternative<peer::proposal>(m);
    };
  }
  if (!net.run_until([&](const network& x) { return is_down(x, victim); }, 120'000)) {
    return fails(net, "it never wrote such a thing");
  }
  all.drops = nullptr;
  if (lost.vote) {
    const voting_record::view_and_kind view_kind{lost.vote->view, lost.vote->kind};
    if (net.record(victim).votes.contains(view_kind)) return "a vote is there that was not written";
    if (all.said(victim, *lost.vote)) return "a vote left before it was durable";
  } else {
    if (net.record(victim).proposed.contains(lost.proposal->first)) return "a proposal is there";
    for (const auto& b : all.proposals[victim]) {
      if (b->id == lost.proposal->second) return "a proposal left before it was durable";
    }
  }
  net.run_for(seed % 7 * 500);
  net.restart(victim);
  if (!net.run_blocks(8, 180'000)) return fails(net, "the chain does not go on");
  if (net.evidence_reported() != 0) return "a node is accused";
  return ends(net);
}

/// A network in which so many members are down that each of the others is needed for a quorum.
struct tight_network {
  tight_network(std::uint64_t seed) : net(begin(story_plan(seed, tight_size(seed)))), all(net) {}
  bool get_tight(std::uint64_t seed) {
    if (!net.run_blocks(2, 60'000)) return false;
    victim = static_cast<std::uint32_t>(seed % net.size());
    for (std::size_t i = 1; i <= most_faulty(net.size()); ++i) {
      net.crash(static_cast<std::uint32_t>((victim + i) % net.size()));
    }
    // So many that none of the crashed members has voted in a view that is still open.
    return net.run_blocks(4, 120'000);
  }
  network net;
  listener all;
  std::uint32_t victim = 0;
};

/// A node stops when a write is durable and the node has not learned that. All others wait for the
/// vote, which only the disk holds. When the node comes back and no other node hears it, it has to
/// complete the quorum by itself. When it is heard again, it says the same.
shortcoming stops_before_sending(std::uint64_t seed, said kind) {
  tight_network t(seed);
  auto& net = t.net;
  if (!t.get_tight(seed)) return fails(net, "no blocks at first");
  written kept;
  net.crash_when(t.victim, crash_point::before_answer, with(kind, kept));
  const auto no_proposals = [](auto, auto, const peer_message& m) {
    return std::holds_alternative<peer::proposal>(m);
  };
  if (kind == said::skip) t.all.drops = no_proposals;
  if (!net.run_until([&](const network& x) { return is_down(x, t.victim); }, 180'000)) {
    return fails(net, "it never wrote such a thing");
  }
  net.run_for(500);
  // If no other node has cast the same vote, the votes for the certificate may be lost with the
  // node.
  bool others_too = false;
  for (std::uint32_t i = 0; kept.vote && i < net.size(); ++i) {
    others_too = others_too || (i != t.victim && t.all.said(i, *kept.vote));
  }
  t.all.forget();
  if (kept.proposal) {
    net.restart(t.victim);
    if (!net.run_blocks(4, 180'000)) return fails(net, "the chain does not go on");
    const auto& mine = t.all.proposals[t.victim];
    const auto same = [&](const block_ptr& b) { return b->id == kept.proposal->second; };
    if (std::ranges::none_of(mine, same)) return "its proposal is not sent again";
    return ends(net);
  }
  const voting_record::view_and_kind view_kind{kept.vote->view, kept.vote->kind};
  if (!net.record(t.victim).votes.contains(view_kind)) return "a durable vote is not there";
  t.all.drops = [&](std::uint32_t from, auto, const peer_message& m) {
    return from == t.victim || (kind == said::skip && no_proposals(from, 0, m));
  };
  net.restart(t.victim);
  if (net.core(t.victim)->held(view_kind.first, view_kind.second) != nullptr ||
      net.core(t.victim)->base().view >= view_kind.first) {
    return "others did not need its vote";
  }
  const auto counted = [&](const network& x) {
    const auto& core = *x.core(t.victim);
    if (!t.all.said(t.victim, *kept.vote)) return false;
    return !others_too || core.held(view_kind.first, view_kind.second) != nullptr ||
           core.epoch() > kept.vote->epoch || core.base().view >= view_kind.first;
  };
  if (!net.run_until(counted, 60'000))
    return fails(net, "its own vote does not count, or is not said again");
  t.all.drops = nullptr;
  if (!net.run_blocks(5, 180'000)) return fails(net, "the chain does not go on");
  return ends(net);
}

/// All nodes stop at once at any moment. When they come back, as many as may be Byzantine are
/// silent and do not repeat what they had said.
shortcoming all_stop_at_once(std::uint64_t seed) {
  auto p = story_plan(seed, tight_size(seed));
  const auto size = p.nodes.size();
  const auto few = most_faulty(size);
  for (std::size_t i = 0; i < few; ++i) p.nodes[i].behaviours = puppet;
  p.before.delay_max_us = 20'000 + seed % 5 * 60'000;
  p.local.disk_max_us = 20'000;
  auto net = begin(std::move(p));
  if (!net.run_blocks(2, 60'000)) return fails(net, "no blocks at first");
  for (std::uint64_t round = 0; round < 6; ++round) {
    net.run_for(300 + mix(seed, round) % 2'000);
    for (std::uint32_t i = 0; i < size; ++i) net.crash(i);
    const auto before = longest(net);
    for (std::uint32_t i = 0; i < size; ++i) {
      const bool withholds = i < few;
      if (withholds) net.set_behaviours(i, static_cast<std::uint32_t>(behaviour::silent));
      net.restart(i);
    }
    if (longest(net) != before) return "a ledger is another after a crash";
    if (!net.run_blocks(3, 180'000)) return fails(net, "the chain does not resume");
    for (std::uint32_t i = 0; i < few; ++i) net.set_behaviours(i, puppet);
    if (!net.run_blocks(2, 180'000)) return fails(net, "the chain does not go on");
  }
  return ends(net);
}

/// A node has lost its record and does not know what it has signed. It follows silently until an
/// epoch begins in which it can't have voted. A second stop must not end this fence.
shortcoming loses_its_disk(std::uint64_t seed, bool ledger_too) {
  auto net = begin(story_plan(seed, size_of_seed(seed)));
  listener all(net);
  if (!net.run_blocks(3 + seed % 4, 60'000)) return fails(net, "no blocks at first");
  const auto victim = static_cast<std::uint32_t>(seed % net.size());
  const auto epoch = net.epoch(victim);
  net.crash(victim);
  net.lose_record(victim);
  if (ledger_too) net.lose_ledger(victim);
  net.run_for(seed % 3 * 1'000);
  const auto here = net.epoch((victim + 1) % net.size());
  all.forget();
  net.restart(victim);
  for (int again = 0; again < 3; ++again) {
    if (!net.core(victim)->fenced() || net.core(victim)->may_sign()) return "it is not fenced";
    net.run_for(500);
    if (net.epoch(victim) != here || all.votes_from(victim, {0}) != 0) break;
    net.crash(victim);
    net.restart(victim);
  }
  if (all.votes_from(victim, epoch) - all.votes_from(victim, here.next()) != 0) {
    return fails(net, "it votes in the epoch in which it forgot");
  }
  if (!net.run_blocks(5, 120'000)) return fails(net, "the others stop, or it does not follow");
  const auto signs = [&](const network& x) {
    return x.core(victim) != nullptr && x.core(victim)->may_sign();
  };
  if (!net.run_until(signs, 60'000)) return fails(net, "it never signs again");
  if (net.epoch(victim) <= here) return fails(net, "it signs in the epoch in which it forgot");
  const auto first = net.epoch(victim);
  net.run_for(6'000);
  if (all.votes_from(victim, first) == 0) return fails(net, "it may sign and does not");
  if (all.votes_from(victim, {0}) != all.votes_from(victim, first)) {
    return "it voted while it was fenced";
  }
  if (net.evidence_reported() != 0 || !net.state().slashed.empty()) return "it is accused";
  return ends(net);
}

/// A node gets an old copy of its record back, which lacks the votes of a time when nothing was
/// final.
shortcoming gets_an_old_copy(std::uint64_t seed) {
  const auto size = size_of_seed(seed);
  auto net = begin(story_plan(seed, size));
  listener all(net);
  if (!net.run_blocks(2 + seed % 3, 60'000)) return fails(net, "no blocks at first");
  const auto victim = static_cast<std::uint32_t>(seed % size);
  // A group with the victim that is too small for a quorum.
  node_set group = 0;
  for (std::uint32_t i = 0; i < size / 2; ++i) group |= node_set{1} << (victim + i) % size;
  const auto copy = net.record(victim);
  net.partition(group);
  net.run_for(12'000);
  const auto& now = net.record(victim).votes;
  const auto is_new = [&](const auto& vote) { return !copy.votes.contains(vote.first); };
  if (std::none_of(now.begin(), now.end(), is_new)) return fails(net, "it has said nothing since");
  const auto epoch = net.epoch(victim);
  net.crash(victim);
  net.put_back(victim, copy);
  net.restart(victim);
  net.run_for(1'000);
  if (!net.core(victim)->fenced()) return fails(net, "it does not notice that its record is old");
  net.heal_network();
  all.forget();
  if (!net.run_blocks(5, 240'000)) return fails(net, "the others stop, or it does not follow");
  if (all.votes_from(victim, epoch) != all.votes_from(victim, epoch.next())) {
    return fails(net, "it votes in the epoch that its record does not know");
  }
  const auto signs = [&](const network& x) { return x.core(victim)->may_sign(); };
  if (!net.run_until(signs, 120'000)) return fails(net, "it never signs again");
  if (net.evidence_reported() != 0 || !net.state().slashed.empty()) return "it is accused";
  return ends(net);
}

}  // namespace

// By R4 a vote is sent only when it is durable; by R2 the same holds for a proposal.
TEST_CASE("scenario 1: a crash before a vote or a proposal is durable, and it was never said") {
  for (const auto kind : all_kinds) {
    CAPTURE(static_cast<int>(kind));
    const auto story = [&](std::uint64_t seed) { return stops_before_durable(seed, kind); };
    holds(story, 1, 20);
    notices(story, "says_before_durable", 1, 10);
  }
}

// By R0 a node's own votes count again after a restart, and by R2 the leader proposes the same
// block again.
TEST_CASE("scenario 2: a crash after a vote is durable, and it is said again and counts") {
  for (const auto kind : all_kinds) {
    CAPTURE(static_cast<int>(kind));
    const auto story = [&](std::uint64_t seed) { return stops_before_sending(seed, kind); };
    holds(story, 1, 16);
    if (kind == said::proposal) {
      notices(story, "proposes_again", 1, 8);
    } else {
      notices(story, "own_votes_not_recounted", 1, 8);
      notices(story, "votes_not_durable", 1, 8);
    }
  }
}

// By S5 all nodes can go on: their records hold the certificates that R6 has put there.
TEST_CASE("scenario 4: all crash at once, and as many as may be Byzantine withhold afterwards") {
  holds(all_stop_at_once, 1, 24);
  notices(all_stop_at_once, "certificates_not_durable", 1, 24);
}

// By R0 a lost record fences the node. By S10 it signs nothing while it is fenced, and by L3 it
// follows the chain.
TEST_CASE("scenario 5: a node that lost its disk is fenced, follows, and is not accused") {
  for (const bool ledger_too : {false, true}) {
    CAPTURE(ledger_too);
    const auto story = [&](std::uint64_t seed) { return loses_its_disk(seed, ledger_too); };
    holds(story, 1, 20);
    notices(story, "signs_after_lost_record", 1, 5);
  }
}

// By R0 the members tell a node that comes back what its key has signed, and it is fenced (S10).
TEST_CASE("scenario 6: a node with an old copy of its record learns from the others what it said") {
  holds(gets_an_old_copy, 1, 20);
  notices(gets_an_old_copy, "signs_beside_twin", 1, 5);
}
