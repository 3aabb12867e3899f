// Scenarios 10 to 13, 26 and 27: networks that part, delay and repeat, clocks that are wrong, a
// week without a quorum, and votes for views that are far away.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "tests/actors/world/agreement/scenario_support.hpp"

using namespace soma;
using namespace soma::agreement_world;
using namespace soma::agreement_world::testing;
using consensus::mutation;

namespace {

slot_set bit(std::uint64_t slot) {
  return slot_set{1} << slot;
}
slot_set everybody(const world& w) {
  return static_cast<slot_set>((std::uint64_t{1} << w.size()) - 1);
}

// ---- 10

/// Cut off as `part` does it, nothing may become final; mended, all have to go on within the bound.
shortcoming without_quorum(std::uint64_t seed, mutation broken,
                           const std::function<void(world&, std::uint64_t)>& part) {
  auto w = begin(story_plan(seed, size_of_seed(seed)), broken);
  if (!w.run_blocks(3, 60'000)) return fails(w, "no blocks at first");
  part(w, seed);
  w.run_for(3'000);  // what was on its way
  const auto before = longest(w);
  w.run_for(10'000 + seed % 5 * 20'000);
  if (longest(w) != before) return fails(w, "a block is final without a quorum");
  const auto bound = heal_bound_ms(w);
  w.mend();
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
shortcoming with_quorum(std::uint64_t seed, mutation broken) {
  auto w = begin(story_plan(seed, size_of_seed(seed)), broken);
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
  w.mend();
  if (!w.run_blocks(10, bound)) return fails(w, "not healed in " + std::to_string(bound) + " ms");
  return ends(w);
}

/// Links that break one after the other until none is left and come back in another order; others
/// that come and go, or follow the leader about.
shortcoming comes_and_goes(std::uint64_t seed, mutation broken) {
  auto p = story_plan(seed, size_of_seed(seed));
  const auto size = p.slots.size();
  const auto half = static_cast<slot_set>(bit(size / 2) - 1);
  p.faults.push_back({fault_kind::flapping, 5'000, 25'000, half, 0, 200 + seed % 5 * 700});
  p.faults.push_back(
      {fault_kind::leader_apart, 25'000, 50'000, bit(seed % size), 0, 300 + seed % 7 * 400});
  auto w = begin(std::move(p), broken);
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
    w.mend();
    for (std::size_t i = free; i < size; ++i) {
      w.cut(bit(order[i]), everybody(w));
      w.cut(everybody(w), bit(order[i]));
    }
    w.run_for(mix(seed, free, 4) % 3'000);
  }
  const auto bound = heal_bound_ms(w);
  w.mend();
  if (!w.run_blocks(10, bound)) return fails(w, "not healed in " + std::to_string(bound) + " ms");
  return ends(w);
}

// ---- 11

bool is_of_class(const peer_message& m, std::uint64_t which) {
  const auto* v = std::get_if<peer::vote>(&m);
  const auto votes = [&](vote_kind kind) { return v != nullptr && v->what.what.kind == kind; };
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
shortcoming one_class_is_slow(std::uint64_t seed, mutation broken, std::uint64_t which) {
  auto p = story_plan(seed, 4 + seed % 4);
  p.epoch_ms = 3'600'000;
  auto w = begin(std::move(p), broken);
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
shortcoming all_but_a_quorum_are_slow(std::uint64_t seed, mutation broken) {
  auto p = story_plan(seed, tight_size(seed));
  p.epoch_ms = 3'600'000;
  auto w = begin(std::move(p), broken);
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
shortcoming everything_again(std::uint64_t seed, mutation broken) {
  auto p = story_plan(seed, size_of_seed(seed), 1);
  const auto repeater = static_cast<std::uint32_t>(p.slots.size() - 1);
  p.slots[repeater].behaviours = puppet;
  const forger other_chain(story_plan(seed + 1'000, 4));
  const forger own_chain(p);
  auto w = begin(p, broken);
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
      const vote_statement what{vote_kind::finalize, w.epoch(0), w.core(0)->view(),
                                id_from<block_id>(round)};
      const auto key = own_chain.keys().key(who, 0);
      const auto by = own_chain.keys().sign_vote(key, what, other_chain.keys().chain());
      w.inject(repeater, (who + 1u) % static_cast<std::uint32_t>(w.size() - 1),
               message(peer::vote{member_vote{what, who, by}}));
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
  if (w.counts()[counted::blamed] == 0) return "votes of another chain are taken";
  if (!w.run_blocks(5, 60'000)) return fails(w, "the chain does not go on");
  return ends(w);
}

// ---- 13

enum class clock_kind : std::uint8_t { ahead, behind, jumps_back, leaps, stands };

/// As many clocks as may be are wrong. Blocks are never ahead of the right time by more than the
/// drift, and epochs end when they should.
shortcoming clocks_are_wrong(std::uint64_t seed, mutation broken, clock_kind kind) {
  auto p = story_plan(seed, size_of_seed(seed));
  const auto drift = p.options.drift_ms;
  const auto epoch_ms = p.epoch_ms;
  auto w = begin(std::move(p), broken);
  if (!w.run_blocks(2, 60'000)) return fails(w, "no blocks at first");
  const auto few = static_cast<std::uint32_t>(most_faulty(w.size()));
  const auto set_all = [&](std::int64_t off) {
    for (std::uint32_t i = 0; i < few; ++i) w.set_clock_offset(i, off);
  };
  if (kind == clock_kind::ahead) set_all(3'600'000);
  if (kind == clock_kind::behind) set_all(-3'600'000);
  if (kind == clock_kind::leaps) {
    for (std::uint32_t i = 0; i < w.size(); ++i) w.set_clock_offset(i, i % 2 == 0 ? 999 : -900);
  }
  if (kind == clock_kind::stands) {
    for (std::uint32_t i = 0; i < few; ++i) w.set_clock_frozen(i, true);
  }
  std::uint64_t seen = longest(w);
  std::uint64_t epoch_end = w.state().epoch_end_ms;
  std::uint64_t jump_at = w.now_ms() + 3'000;
  shortcoming wrong;
  const auto slack = kind == clock_kind::leaps ? drift + 1'000 : drift;
  const auto look = [&](const world& x) {
    if (kind == clock_kind::jumps_back && x.now_ms() >= jump_at) {
      jump_at += 4'000;
      set_all(jump_at % 8'000 < 4'000 ? 7'000 : -7'000);
    }
    for (; seen < longest(x); ++seen) {
      const auto& h = x.block_at(seen + 1)->whole.header;
      const auto now = birth_ms + x.now_ms();
      if (h.time_ms > now + slack) wrong = "a block is ahead of the time";
      if ((h.flags & block_closes_epoch) != 0) {
        if (h.time_ms < epoch_end) wrong = "an epoch ends early";
        if (now + slack < epoch_end) wrong = "an epoch ends early by the right clock";
        if (now > epoch_end + 40'000) wrong = "an epoch ends far too late";
        epoch_end = h.time_ms + epoch_ms;
      }
    }
    return !wrong.empty() || x.state().epoch >= 5;
  };
  if (!w.run_until(look, 400'000)) return fails(w, "epochs do not end");
  if (!wrong.empty()) return wrong;
  for (std::uint32_t i = 0; i < w.size(); ++i) {
    w.set_clock_offset(i, 0);
    w.set_clock_frozen(i, false);
  }
  if (!w.run_blocks(10, 120'000)) return fails(w, "it does not go on with right clocks");
  if (w.evidence_reported() != 0) return "a wrong clock is taken for a lie";
  return ends(w);
}

// ---- 26

constexpr std::uint64_t week_ms = 7ull * 24 * 3'600 * 1'000;
constexpr std::uint64_t hours_ms = 10ull * 3'600 * 1'000;

/// Nothing passes for a week. What a process says meanwhile goes by the standstill messages.
shortcoming a_week_of_silence(std::uint64_t seed, mutation broken) {
  auto p = story_plan(seed, 4, 0, 0);
  auto w = begin(std::move(p), broken);
  if (!w.run_blocks(3, 60'000)) return fails(w, "no blocks at first");
  listener all(w);
  bool silent = true;
  all.drops = [&](auto, auto, const peer_message&) { return silent; };
  w.run_for(600'000);
  const auto messages = w.sent_messages(0);
  const auto bytes = w.sent_bytes(0);
  w.run_for(week_ms);
  const auto rounds = week_ms / 30'000 + 1;
  // L5: a greeting, a standstill message, a proposal if it leads; to each of three.
  if (w.sent_messages(0) - messages > rounds * 3 * 3) return fails(w, "too many messages");
  if (w.sent_bytes(0) - bytes > rounds * 3 * 4'096) return fails(w, "too many bytes");
  silent = false;
  const auto bound = heal_bound_ms(w);
  if (!w.run_blocks(10, bound)) return fails(w, "not back in " + std::to_string(bound) + " ms");
  return ends(w);
}

/// No proposal passes for hours, votes do: a view a minute is skipped. One was away all the time;
/// it has to fetch what the others hold, and a block then stands on the block before it.
shortcoming hours_of_skips(std::uint64_t seed, mutation broken) {
  auto p = story_plan(seed, 4, 0, 0);
  p.options.seed = seed;
  auto w = begin(std::move(p), broken);
  if (!w.run_blocks(3, 60'000)) return fails(w, "no blocks at first");
  w.crash(3);
  bool silent = true;
  w.set_filter([&](auto, auto, const peer_message& m) {
    return silent && std::holds_alternative<peer::proposal>(m);
  });
  w.run_for(3'600'000);
  const auto before = longest(w);
  const auto bytes = w.sent_bytes(0);
  const auto first = w.core(0)->view();
  w.run_for(hours_ms);
  if (longest(w) != before) return fails(w, "a block nobody has seen is final");
  const auto views = w.core(0)->view() - first;
  if (views > hours_ms / 60'000 + 1) return fails(w, std::to_string(views) + " views");
  if (views + 20 < hours_ms / 60'000) return fails(w, std::to_string(views) + " views");
  // A view: a vote, a certificate and a proposal to each of two, in the mean a greeting and two
  // standstill messages of 64 views.
  const auto rounds = hours_ms / 30'000 + 1;
  const auto limit = views * 2 * 4'096 + rounds * 2 * (64 * 512 + 64 * 160 + 4'096);
  if (w.sent_bytes(0) - bytes > limit) return fails(w, "too many bytes");
  if (w.core(0)->held_bytes() > std::size_t{4} << 20) return fails(w, "too much is kept");
  silent = false;
  w.restart(3);
  if (!w.run_blocks(2, 600'000)) return fails(w, "not back in ten minutes");
  if (!w.run_blocks(10, 60'000)) return fails(w, "slow when it is back");
  return ends(w);
}

// ---- 27

/// As many as may be Byzantine vote for everything in 64 views to come, and far beyond.
shortcoming far_votes(std::uint64_t seed, mutation broken) {
  auto p = story_plan(seed, size_of_seed(seed), 0, 0);
  const auto few = most_faulty(p.slots.size());
  for (std::size_t i = 0; i < few; ++i) {
    p.slots[i].behaviours = static_cast<std::uint32_t>(behaviour::silent);
  }
  p.epoch_ms = 3'600'000;
  auto w = begin(std::move(p), broken);
  if (!w.run_blocks(2, 120'000)) return fails(w, "no blocks at first");
  const auto victim = static_cast<std::uint32_t>(w.size() - 1);
  const auto view = w.core(victim)->view();
  const auto before = w.core(victim)->held_bytes();
  const auto kinds =
      std::to_array<vote_kind>({vote_kind::notarize, vote_kind::skip, vote_kind::finalize});
  for (std::uint32_t from = 0; from < few; ++from) {
    for (std::uint64_t i = 0; i < 512; ++i) {
      const auto far = i < 64 ? view + 1 + i : view + 1 + i * i * 97;
      for (const auto kind : kinds) {
        for (std::uint64_t other = 0; other < 3; ++other) {
          const auto block =
              kind == vote_kind::skip ? block_id{} : id_from<block_id>(mix(i, other, from));
          const auto vote = w.signed_by(from, {kind, {0}, far, block});
          w.inject(from, victim, message(peer::vote{vote}));
        }
      }
    }
  }
  w.run_for(1'000);
  // One vote of each kind a view; what contradicts it is evidence and not kept.
  const auto limit = before + 70 * (2'048 + few * 3 * 160) + 65'536;
  if (w.core(victim)->held_bytes() > limit) {
    return fails(
        w, std::to_string(w.core(victim)->held_bytes()) + " bytes, not " + std::to_string(limit));
  }
  if (!w.run_blocks(5, 120'000)) return fails(w, "the chain does not go on");
  return ends(w);
}

}  // namespace

TEST_CASE("scenario 10: halves, rings, one-way links: nothing is final without a quorum") {
  const auto parted = [](auto part) {
    return
        [part](std::uint64_t seed, mutation broken) { return without_quorum(seed, broken, part); };
  };
  holds(parted(in_halves), 1, 20);
  holds(parted(leader_in_minority), 1, 20);
  holds(parted(one_way), 1, 20);
  notices(parted(in_halves), mutation::commits_when_notarized, 1, 20);
  notices(parted(in_halves), mutation::no_standstill, 1, 10);
  // In a ring of four or five three are a quorum, or nearly.
  const auto ring = [](std::uint64_t seed, mutation broken) {
    return size_of_seed(seed) < 6 ? shortcoming{} : without_quorum(seed, broken, in_a_ring);
  };
  holds(ring, 1, 20);
}

TEST_CASE("scenario 10: a quorum that stays together goes on, and the others come back") {
  holds(with_quorum, 1, 21);
  notices(with_quorum, mutation::blocks_not_fetched, 1, 6);
}

TEST_CASE("scenario 10: flapping links, a leader always apart, swizzle and clog") {
  holds(comes_and_goes, 1, 20);
}

TEST_CASE("scenario 11: one class of messages takes ten seconds") {
  for (std::uint64_t which = 0; which < 6; ++which) {
    CAPTURE(which);
    const auto story = [which](std::uint64_t seed, mutation broken) {
      return one_class_is_slow(seed, broken, which);
    };
    holds(story, 1, 2);
    if (which == 3) notices(story, mutation::timeouts_do_not_grow, 1, 1);
  }
}

TEST_CASE("scenario 11: all but a quorum are slow") {
  holds(all_but_a_quorum_are_slow, 1, 8);
}

TEST_CASE("scenario 12: what was said is repeated, reflected, and said of another chain") {
  holds(everything_again, 1, 10);
  notices(everything_again, mutation::vote_signature_unchecked, 1, 4);
}

TEST_CASE("scenario 13: clocks an hour off, jumping, leaping and standing decide nothing") {
  for (const auto kind : {clock_kind::ahead, clock_kind::behind, clock_kind::jumps_back,
                          clock_kind::leaps, clock_kind::stands}) {
    CAPTURE(static_cast<int>(kind));
    const auto story = [kind](std::uint64_t seed, mutation broken) {
      return clocks_are_wrong(seed, broken, kind);
    };
    holds(story, 1, 10);
    if (kind == clock_kind::ahead) notices(story, mutation::future_time_accepted, 1, 10);
  }
}

TEST_CASE("scenario 26: a week in which nothing passes") {
  holds(a_week_of_silence, 1, 2);
}

TEST_CASE("scenario 26: hours in which every view is skipped") {
  holds(hours_of_skips, 1, 2);
}

TEST_CASE("scenario 27: votes for views far ahead take no memory") {
  holds(far_votes, 1, 10);
  notices(far_votes, mutation::votes_of_any_view, 1, 2);
}
