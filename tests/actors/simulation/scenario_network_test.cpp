// Scenarios 10 to 12: networks that part, delay and repeat.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "tests/actors/simulation/scenario_support.hpp"

using namespace soma;
using namespace soma::simulation;
using namespace soma::simulation::testing;

namespace {

slot_set bit(std::uint64_t slot) {
  return slot_set{1} << slot;
}
slot_set everybody(const world& w) {
  return static_cast<slot_set>((std::uint64_t{1} << w.size()) - 1);
}

// ---- 10

/// Cut off as `part` does it, nothing may become final; mended, all have to go on within the bound.
shortcoming without_quorum(std::uint64_t seed,
                           const std::function<void(world&, std::uint64_t)>& part) {
  auto w = begin(story_plan(seed, size_of_seed(seed)));
  if (!w.run_blocks(3, 60'000)) return fails(w, "no blocks at first");
  part(w, seed);
  w.run_for(3'000);  // statement was on its way
  const auto before = longest(w);
  w.run_for(10'000 + seed % 5 * 20'000);
  if (longest(w) != before) return fails(w, "a block is final without a quorum");
  const auto bound = heal_bound_ms(w);
  w.heal_network();
  if (!w.run_blocks(10, bound)) return fails(w, "not healed in " + std::to_string(bound) + " ms");
  return ends(w);
}

void in_halves(world& w, std::uint64_t) {
  w.partition(bit(w.size() / 2) - 1);
}

/// The leader of the present view with all but a quorum.
void leader_in_minority(world& w, std::uint64_t) {
  const auto& core = *w.core(0);
  const auto leader = core.members().leader(core.view());
  slot_set group = bit(leader);
  for (std::uint32_t i = 0; std::popcount(group) < static_cast<int>(most_faulty(w.size())); ++i) {
    group |= bit(i);
  }
  // The others lack one of a quorum, too.
  const auto rest = everybody(w) & ~group;
  w.partition(group);
  w.partition(rest & (~rest + 1));
}

void in_a_ring(world& w, std::uint64_t) {
  const auto size = w.size();
  for (std::size_t i = 0; i < size; ++i) {
    const auto near = bit(i) | bit((i + 1) % size) | bit((i + size - 1) % size);
    w.cut(bit(i), everybody(w) & ~near);
  }
}

/// Everybody hears the lower half, nobody hears the upper.
void one_way(world& w, std::uint64_t) {
  const auto lower = bit(w.size() / 2) - 1;
  w.cut(everybody(w) & ~lower, everybody(w));
}

/// A quorum stays together; the others are cut off, in one direction or both. The chain goes on.
shortcoming with_quorum(std::uint64_t seed) {
  auto w = begin(story_plan(seed, size_of_seed(seed)));
  if (!w.run_blocks(3, 60'000)) return fails(w, "no blocks at first");
  const auto away = bit(most_faulty(w.size())) - 1;
  const auto rest = everybody(w) & ~away;
  if (seed % 3 != 1) w.cut(away, rest);
  if (seed % 3 != 2) w.cut(rest, away);
  const auto before = longest(w);
  w.run_for(40'000);
  if (longest(w) < before + 8) return fails(w, "a quorum does not go on");
  if (seed % 3 == 2 && w.height(0) + 3 < longest(w)) return fails(w, "who hears does not follow");
  const auto bound = heal_bound_ms(w);
  w.heal_network();
  if (!w.run_blocks(10, bound)) return fails(w, "not healed in " + std::to_string(bound) + " ms");
  return ends(w);
}

/// Links that break one after the other until none is left and come back in another order; others
/// that come and go, or follow the leader about.
shortcoming comes_and_goes(std::uint64_t seed) {
  auto p = story_plan(seed, size_of_seed(seed));
  const auto size = p.slots.size();
  const auto half = static_cast<slot_set>(bit(size / 2) - 1);
  p.faults.push_back({fault_kind::flapping, 5'000, 25'000, half, 0, 200 + seed % 5 * 700});
  p.faults.push_back(
      {fault_kind::leader_apart, 25'000, 50'000, bit(seed % size), 0, 300 + seed % 7 * 400});
  auto w = begin(std::move(p));
  w.run_for(50'000);
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < size; ++i) order.push_back(i);
  const auto shuffle = [&](std::uint64_t by) {
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return mix(seed, i, by); });
  };
  shuffle(1);
  for (const auto i : order) {  // swizzle
    w.cut(bit(i), everybody(w));
    w.cut(everybody(w), bit(i));
    w.run_for(mix(seed, i, 2) % 3'000);
  }
  w.run_for(3'000);
  const auto before = longest(w);
  w.run_for(5'000);
  if (longest(w) != before) return fails(w, "a block is final and nobody hears anybody");
  shuffle(3);
  for (std::size_t free = 1; free <= size; ++free) {  // and clog
    w.heal_network();
    for (std::size_t i = free; i < size; ++i) {
      w.cut(bit(order[i]), everybody(w));
      w.cut(everybody(w), bit(order[i]));
    }
    w.run_for(mix(seed, free, 4) % 3'000);
  }
  const auto bound = heal_bound_ms(w);
  w.heal_network();
  if (!w.run_blocks(10, bound)) return fails(w, "not healed in " + std::to_string(bound) + " ms");
  return ends(w);
}

// ---- 11

bool is_of_class(const peer_message& m, std::uint64_t which) {
  const auto* v = std::get_if<peer::vote>(&m);
  const auto votes = [&](vote_kind kind) {
    return v != nullptr && v->signed_vote.statement.kind == kind;
  };
  switch (which) {
    case 0:
      return votes(vote_kind::notarize);
    case 1:
      return votes(vote_kind::skip);
    case 2:
      return votes(vote_kind::finalize);
    case 3:
      return std::holds_alternative<peer::proposal>(m);
    case 4:
      return std::holds_alternative<peer::certified>(m);
    default:
      return std::holds_alternative<peer::request>(m) || std::holds_alternative<peer::response>(m);
  }
}

/// Everything of one class takes ten seconds. Blocks come, and as fast as before once it is over.
shortcoming one_class_is_slow(std::uint64_t seed, std::uint64_t which) {
  auto p = story_plan(seed, 4 + seed % 4);
  p.epoch_ms = 3'600'000;
  auto w = begin(std::move(p));
  if (!w.run_blocks(3, 60'000)) return fails(w, "no blocks at first");
  w.set_delay([which](auto, auto, const peer_message& m) {
    return is_of_class(m, which) ? 10'000'000 : 0;
  });
  const auto before = longest(w);
  std::uint64_t most_ahead = 0;
  w.run_until(
      [&](const world& x) {
        most_ahead = std::max(most_ahead, x.core(0)->view() - x.core(0)->base().view);
        return false;
      },
      250'000);
  if (longest(w) < before + 8) {
    return fails(w, "only " + std::to_string(longest(w) - before) + " blocks");
  }
  // Views do not wait for what is final.
  if (which == 2 && most_ahead <= 5) return fails(w, "nothing is final only after five views");
  if (which == 2 && longest(w) < before + 200) return fails(w, "finality holds up the views");
  w.set_delay(nullptr);
  w.run_for(30'000);
  if (!w.run_blocks(20, 60'000)) return fails(w, "it stays slow");
  return ends(w);
}

/// A quorum is fast; what the others say takes seconds. They cost nothing but their own turns.
shortcoming all_but_a_quorum_are_slow(std::uint64_t seed) {
  auto p = story_plan(seed, tight_size(seed));
  p.epoch_ms = 3'600'000;
  auto w = begin(std::move(p));
  if (!w.run_blocks(3, 60'000)) return fails(w, "no blocks at first");
  const auto slow = most_faulty(w.size());
  w.set_delay([slow](std::uint32_t from, std::uint32_t to, const peer_message&) {
    return from < slow || to < slow ? 3'000'000 : 0;
  });
  const auto before = longest(w);
  w.run_for(120'000);
  if (longest(w) < before + 40) return fails(w, "a fast quorum does not go on");
  if (w.height(0) + 20 < longest(w)) return fails(w, "a slow one does not follow");
  w.set_delay(nullptr);
  if (!w.run_blocks(10, 60'000)) return fails(w, "it stays slow");
  return ends(w);
}

// ---- 12

/// Whatever was said is said again later, by somebody else, to anybody, to its author, too; and
/// votes of another chain with it. Nobody is accused, fenced or held up.
shortcoming everything_again(std::uint64_t seed) {
  auto p = story_plan(seed, size_of_seed(seed), 1);
  const auto repeater = static_cast<std::uint32_t>(p.slots.size() - 1);
  p.slots[repeater].behaviours = puppet;
  const forger other_chain(story_plan(seed + 1'000, 4));
  const forger own_chain(p);
  auto w = begin(p);
  std::vector<std::shared_ptr<const peer_message>> heard;
  bool repeating = false;
  std::uint64_t first = 0;
  w.set_filter([&](std::uint32_t from, std::uint32_t to, const peer_message& m) {
    if (!repeating && from != repeater && to == (from + 1) % w.size() && heard.size() < 20'000) {
      heard.push_back(std::make_shared<const peer_message>(m));
    }
    return false;
  });
  if (!w.run_blocks(3, 60'000)) return fails(w, "no blocks at first");
  first = longest(w);
  for (std::uint64_t round = 0; round < 600; ++round) {
    repeating = true;
    for (std::uint64_t i = 0; i < 12; ++i) {
      const auto dice = mix(seed, round, i);
      const auto to = static_cast<std::uint32_t>(dice % (w.size() - 1));
      w.inject(repeater, to, heard[dice / 64 % heard.size()]);
    }
    if (round % 20 == 0) {
      // A member's vote, signed with its key, for the same place in another chain.
      const auto who = static_cast<std::uint16_t>(round / 20 % (w.size() - 1));
      const vote_statement statement{vote_kind::finalize, w.epoch(0), w.core(0)->view(),
                                     id_from<block_id>(round)};
      const auto key = own_chain.keys().key(who, 0);
      const auto by = own_chain.keys().sign_vote(key, statement, other_chain.keys().chain());
      w.inject(repeater, (who + 1u) % static_cast<std::uint32_t>(w.size() - 1),
               message(peer::vote{member_vote{statement, who, by}}));
    }
    repeating = false;
    w.run_for(50);
    for (std::uint32_t i = 0; i < repeater; ++i) {
      if (w.core(i)->fenced()) return fails(w, "somebody takes its own old votes for another's");
    }
  }
  if (w.evidence_reported() != 0) return fails(w, "somebody is accused by what was repeated");
  if (!w.state().slashed.empty()) return fails(w, "somebody is punished");
  if (w.epoch(0).value < 3) return fails(w, "epochs do not end");
  if (longest(w) < first + 25) return fails(w, "it is held up");
  if (w.counts()[coverage::blamed] == 0) return "votes of another chain are taken";
  if (!w.run_blocks(5, 60'000)) return fails(w, "the chain does not go on");
  return ends(w);
}

}  // namespace

// By R9 a block is final by a certificate alone; R10 repairs what was lost meanwhile.
TEST_CASE("scenario 10: halves, rings, one-way links: nothing is final without a quorum") {
  const auto parted = [](auto part) {
    return [part](std::uint64_t seed) { return without_quorum(seed, part); };
  };
  holds(parted(in_halves), 1, 20);
  holds(parted(leader_in_minority), 1, 20);
  holds(parted(one_way), 1, 20);
  notices(parted(in_halves), "commits_when_notarized", 1, 20);
  notices(parted(in_halves), "no_standstill", 1, 10);
  // In a ring of four or five three are a quorum, or nearly.
  const auto ring = [](std::uint64_t seed) {
    return size_of_seed(seed) < 6 ? shortcoming{} : without_quorum(seed, in_a_ring);
  };
  holds(ring, 1, 20);
}

// By R11 those who were cut off ask for what they have missed (L3).
TEST_CASE("scenario 10: a quorum that stays together goes on, and the others come back") {
  holds(with_quorum, 1, 21);
  notices(with_quorum, "blocks_not_fetched", 1, 6);
}

TEST_CASE("scenario 10: flapping links, a leader always apart, swizzle and clog") {
  holds(comes_and_goes, 1, 20);
}

// Views do not wait for what is final (R6, R9), whatever is slow.
TEST_CASE("scenario 11: one class of messages takes ten seconds") {
  for (std::uint64_t which = 0; which < 6; ++which) {
    CAPTURE(which);
    const auto story = [which](std::uint64_t seed) { return one_class_is_slow(seed, which); };
    holds(story, 1, 2);
    if (which == 3) notices(story, "timeouts_do_not_grow", 1, 1);
  }
}

TEST_CASE("scenario 11: all but a quorum are slow") {
  holds(all_but_a_quorum_are_slow, 1, 8);
}

// By R5 a vote counts once, for its own chain and view, and accuses only if it is signed.
TEST_CASE("scenario 12: what was said is repeated, reflected, and said of another chain") {
  holds(everything_again, 1, 10);
  notices(everything_again, "vote_signature_unchecked", 1, 4);
}
