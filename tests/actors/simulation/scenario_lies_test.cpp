// Scenarios 22 and 24: false answers to nodes that are behind, forks that old keys sign, and nodes
// that compute other results.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/actors/simulation/scenario_support.hpp"

using namespace soma;
using namespace soma::simulation;
using namespace soma::simulation::testing;

namespace {

// ---- 22

enum class lie : std::uint8_t { height, payload, stale_final, reversed, silence };

/// The answer of a hostile peer instead of `r`; nullopt when it does not answer. `old` is an old
/// certificate.
std::optional<peer::response> bent(peer::response r, lie how,
                                   const std::optional<certificate>& old) {
  switch (how) {
    case lie::height:
    case lie::silence:
      return std::nullopt;
    case lie::payload:
      for (auto& b : r.blocks) {  // the certified header with another content
        auto other = *b;
        if (other.block.payload.empty()) {
          other.block.parent_signers = {};
          other.block.parent_signers.add({1});
        } else {
          other.block.payload.front().body.back() ^= 1;
        }
        b = std::make_shared<const identified_block>(std::move(other));
      }
      return r;
    case lie::stale_final:
      r.final = old;
      r.epoch_end.reset();
      return r;
    case lie::reversed:
      std::ranges::reverse(r.blocks);
      return r;
  }
  return r;
}

/// A node without a seat has lost its ledger. It hears three hostile peers and only one member. The
/// hostile peers give false answers and boast of great heights.
shortcoming hostile_answers(std::uint64_t seed, lie how) {
  constexpr std::uint32_t members = 4, hostile_end = 7, victim = 7;
  auto p = story_plan(seed, members, 4);
  for (auto i = members; i < hostile_end; ++i) p.nodes[i].behaviours = puppet;
  const forger forge(p);
  auto net = begin(p);
  std::optional<certificate> old;
  bool injecting = false;
  std::uint64_t asked_honest = 0;
  net.set_filter([&](std::uint32_t from, std::uint32_t to, const peer_message& m) {
    if (const auto* c = std::get_if<peer::certified>(&m)) {
      if (!old && c->certificate.statement.kind == vote_kind::finalize) old = c->certificate;
    }
    if (std::holds_alternative<peer::request>(m) && from == victim && to == 0) ++asked_honest;
    if (to != victim || injecting) return false;
    if (from > 0 && from < members) return true;  // of the members it hears only member 0
    if (from < members || from == victim) return false;
    const auto* r = std::get_if<peer::response>(&m);
    if (r == nullptr) return !std::holds_alternative<peer::hello>(m);
    if (auto other = bent(*r, how, old)) {
      injecting = true;
      net.inject(from, to, message(std::move(*other)));
      injecting = false;
    }
    return true;
  });
  if (!net.run_until([](const network& x) { return longest(x) >= 30; }, 120'000)) {
    return fails(net, "no blocks at first");
  }
  net.crash(victim);
  net.lose_ledger(victim);
  net.restart(victim);
  const auto goal = longest(net) + 5;
  bool there = false;
  for (int second = 0; second < 120 && !there; ++second) {
    if (how == lie::height) {
      for (auto i = members; i < hostile_end; ++i) {
        injecting = true;
        net.inject(i, victim,
                   message(peer::hello{forge.keys().chain(), {9}, {1'000'000}, 77, {9}, false}));
        injecting = false;
      }
    }
    there = net.run_until([&](const network& x) { return x.height(victim) >= goal; }, 1'000);
  }
  if (!there) return fails(net, "one honest peer is not enough");
  if (asked_honest == 0) return "it never asked the honest one";
  if (how == lie::payload && net.counts()[coverage::blamed] == 0) return "no peer is blamed";
  if (net.core(victim)->held_bytes() > std::size_t{1} << 20) return "lies are kept";
  if (!net.run_blocks(5, 60'000)) return fails(net, "it does not stay with the others");
  return ends(net);
}

/// All members of the first epoch have left. They sign everything that a quorum of their keys can
/// sign: another old block, another end of their epoch, and a certificate for the present epoch.
shortcoming unbonded_fork(std::uint64_t seed) {
  constexpr std::uint32_t size = 4, late = 8;
  auto p = story_plan(seed, size, size + 1);
  p.committees.push_back({});
  for (std::uint16_t i = size; i < 2 * size; ++i) p.committees.back().push_back({i, 0, 2'500});
  p.epoch_ms = 5'000;
  for (std::uint32_t i = 0; i < size; ++i) p.nodes[i].behaviours = puppet;
  forger forge(p);
  auto net = begin(p);
  std::vector<block_ptr> seen;
  bool fork = false;
  listener all(net);
  all.drops = [&](std::uint32_t from, std::uint32_t, const peer_message& m) {
    const auto* proposal = std::get_if<peer::proposal>(&m);
    if (proposal != nullptr && !fork) {
      forge.see(proposal->block);
      if (proposal->block->block.header.epoch.value == 0) seen.push_back(proposal->block);
    }
    return fork && from < size;  // the old members say only what is injected
  };
  if (!net.run_until([](const network& x) { return x.epoch(late).value >= 1; }, 120'000)) {
    return fails(net, "no epochs at first");
  }
  net.crash(late);  // it knows the second committee
  if (!net.run_until([](const network& x) { return x.state().epoch >= 3; }, 120'000)) {
    return fails(net, "no epochs at first");
  }
  fork = true;
  net.restart(late);
  const std::vector<std::uint16_t> old_ones{0, 1, 2, 3};
  std::uint64_t sent = 0;
  const auto tell = [&](std::uint32_t to, peer_message m) {
    all.lets_all_through = true;
    net.inject(static_cast<std::uint32_t>(sent++ % size), to,
               std::make_shared<const peer_message>(std::move(m)));
    all.lets_all_through = false;
  };
  const auto before = longest(net);
  for (std::uint64_t round = 0; round < 12; ++round) {
    const auto& real = *seen[mix(seed, round) % seen.size()];
    const auto other = forge.rival(real, 3 + round);
    if (other == nullptr) continue;
    const auto view = other->block.header.view;
    const auto final = forge.certified({vote_kind::finalize, {0}, view, other->id}, old_ones);
    const auto now = net.core(size)->view();
    const auto epoch = net.core(size)->epoch();
    const auto fresh =
        forge.certified({vote_kind::finalize, epoch, now + 1, id_from<block_id>(round)}, old_ones);
    auto closing = other->block.header;
    closing.flags = block_closes_epoch;
    const auto closed =
        forge.signed_again({closing, {}, other->block.payload, other->block.parent_signers});
    epoch_proof proof{{closed->block.header},
                      forge.certified({vote_kind::finalize, {0}, view, closed->id}, old_ones),
                      net.core(size)->members().seats()};
    for (std::uint32_t to = size; to <= late; ++to) {
      tell(to, peer::proposal{other, {}, {}});
      tell(to, peer::certified{final});
      tell(to, peer::certified{fresh});
      tell(to, peer::standstill{{final, fresh}, {}});
      tell(to, peer::response{epoch, {fresh}, {other}, final, {}});
      tell(to, peer::response{{0}, {final}, {other}, final, {}});
      tell(to, peer::epoch_over{{0}, proof});
      tell(to, peer::epoch_over{epoch, proof});
    }
    net.run_for(500);
  }
  if (longest(net) < before + 3) return fails(net, "it is held up");
  if (!net.run_blocks(5, 120'000)) return fails(net, "the chain does not go on");
  if (net.counts()[coverage::blamed] == 0) return "certificates of others' keys are taken";
  return ends(net);
}

// ---- 24

/// One node computes wrong results. It votes for no block of the others, so the chain goes on
/// without it, and it stops when it sees that a quorum disagrees.
shortcoming one_computes_wrong(std::uint64_t seed) {
  auto net = begin(story_plan(seed, size_of_seed(seed)));
  listener all(net);
  const auto victim = static_cast<std::uint32_t>(seed % net.size());
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  net.set_bad_executor(victim, true);
  const auto stopped = [&](const network& x) { return x.core(victim)->alarmed(); };
  if (!net.run_until(stopped, 60'000)) return fails(net, "it does not notice");
  all.forget();
  if (!net.run_blocks(10, 120'000)) return fails(net, "the others stop, too");
  if (all.votes_from(victim, {0}) != 0) return "it goes on voting";
  if (net.counts()[coverage::alarms] != 1) return fails(net, "others take alarm");
  if (net.evidence_reported() != 0) return "a broken machine is taken for a liar";
  // After a repair it takes part again.
  net.crash(victim);
  net.set_bad_executor(victim, false);
  net.restart(victim);
  if (!net.run_blocks(10, 120'000)) return fails(net, "it does not come back");
  net.run_for(10'000);
  if (all.votes_from(victim, {0}) == 0) return fails(net, "it does not vote again");
  return ends(net);
}

/// More nodes than may be faulty compute wrong results: neither they nor the others are a quorum.
shortcoming many_compute_wrong(std::uint64_t seed) {
  auto p = story_plan(seed, tight_size(seed));
  p.epoch_ms = 3'600'000;
  auto net = begin(std::move(p));
  const auto bad = static_cast<std::uint32_t>(most_faulty(net.size()) + 1);
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  for (std::uint32_t i = 0; i < bad; ++i) net.set_bad_executor(i, true);
  net.run_for(5'000);
  const auto before = longest(net);
  const auto view = highest_view(net);
  net.run_for(120'000);
  if (longest(net) != before) return fails(net, "something is final without a quorum");
  if (highest_view(net) < view + 3) return fails(net, "views are not skipped");
  for (std::uint32_t i = 0; i < bad; ++i) {
    net.crash(i);
    net.set_bad_executor(i, false);
    net.restart(i);
  }
  if (!net.run_blocks(10, heal_bound_ms(net)))
    return fails(net, "it does not resume when repaired");
  return ends(net);
}

}  // namespace

// By R11 unproven claims of peers decide nothing, and by R3 a payload has to fit its header; so L3
// holds.
TEST_CASE("scenario 22: false answers cost time; one honest peer is enough") {
  for (const auto how :
       {lie::height, lie::payload, lie::stale_final, lie::reversed, lie::silence}) {
    CAPTURE(static_cast<int>(how));
    const auto story = [&](std::uint64_t seed) { return hostile_answers(seed, how); };
    holds(story, 1, 8);
    if (how == lie::payload) notices(story, "payload_unchecked", 1, 4);
    if (how == lie::silence) notices(story, "blocks_not_fetched", 1, 2);
  }
}

// By R6 a certificate of another epoch's committee does not count, and by E5 no old key counts.
TEST_CASE("scenario 22: no node follows a fork by all keys of an epoch that is over") {
  holds(unbonded_fork, 1, 12);
  notices(unbonded_fork, "certificate_unchecked", 1, 3);
}

// By R12 a node whose result differs from that of a quorum stops; by R4 it has not voted for the
// block.
TEST_CASE("scenario 24: a node that computes other results stops, and the chain goes on") {
  holds(one_computes_wrong, 1, 20);
  notices(one_computes_wrong, "root_unchecked", 1, 3);
}

// By R4 a node votes only for what it has executed itself, so that no block gets a quorum here.
TEST_CASE("scenario 24: more than may be faulty compute something else, and nothing is final") {
  holds(many_compute_wrong, 1, 12);
  notices(many_compute_wrong, "root_unchecked", 1, 4);
}
