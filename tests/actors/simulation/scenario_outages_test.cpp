// Scenarios 13, 26 and 27: wrong clocks, a week without a quorum, and votes for views far ahead.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/actors/simulation/scenario_support.hpp"

using namespace soma;
using namespace soma::simulation;
using namespace soma::simulation::testing;

namespace {

// ---- 13

enum class clock_kind : std::uint8_t { ahead, behind, jumps_back, leaps, stands };

/// As many clocks are wrong as may be. The time of a block is never ahead of the right time by more
/// than the drift, and epochs end in time.
shortcoming clocks_are_wrong(std::uint64_t seed, clock_kind kind) {
  auto p = story_plan(seed, size_of_seed(seed));
  const auto drift = p.options.drift_ms;
  const auto epoch_ms = p.epoch_ms;
  auto net = begin(std::move(p));
  if (!net.run_blocks(2, 60'000)) return fails(net, "no blocks at first");
  const auto few = static_cast<std::uint32_t>(most_faulty(net.size()));
  const auto set_all = [&](std::int64_t off) {
    for (std::uint32_t i = 0; i < few; ++i) net.set_clock_offset(i, off);
  };
  if (kind == clock_kind::ahead) set_all(3'600'000);
  if (kind == clock_kind::behind) set_all(-3'600'000);
  if (kind == clock_kind::leaps) {
    for (std::uint32_t i = 0; i < net.size(); ++i) net.set_clock_offset(i, i % 2 == 0 ? 999 : -900);
  }
  if (kind == clock_kind::stands) {
    for (std::uint32_t i = 0; i < few; ++i) net.set_clock_frozen(i, true);
  }
  std::uint64_t seen = longest(net);
  std::uint64_t epoch_end = net.state().epoch_end_ms;
  std::uint64_t jump_at = net.now_ms() + 3'000;
  shortcoming wrong;
  const auto slack = kind == clock_kind::leaps ? drift + 1'000 : drift;
  const auto look = [&](const network& x) {
    if (kind == clock_kind::jumps_back && x.now_ms() >= jump_at) {
      jump_at += 4'000;
      set_all(jump_at % 8'000 < 4'000 ? 7'000 : -7'000);
    }
    for (; seen < longest(x); ++seen) {
      const auto& h = x.block_at(seen + 1)->block.header;
      const auto now = genesis_ms + x.now_ms();
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
  if (!net.run_until(look, 400'000)) return fails(net, "epochs do not end");
  if (!wrong.empty()) return wrong;
  for (std::uint32_t i = 0; i < net.size(); ++i) {
    net.set_clock_offset(i, 0);
    net.set_clock_frozen(i, false);
  }
  if (!net.run_blocks(10, 120'000)) return fails(net, "it does not go on with right clocks");
  if (net.evidence_reported() != 0) return "a wrong clock is taken for a lie";
  return ends(net);
}

// ---- 26

constexpr std::uint64_t week_ms = 7ull * 24 * 3'600 * 1'000;
constexpr std::uint64_t hours_ms = 10ull * 3'600 * 1'000;

/// No message arrives for a week. Meanwhile a node sends little more than its standstill messages.
shortcoming a_week_of_silence(std::uint64_t seed) {
  auto p = story_plan(seed, 4, 0, 0);
  auto net = begin(std::move(p));
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  listener all(net);
  bool silent = true;
  all.drops = [&](auto, auto, const peer_message&) { return silent; };
  net.run_for(600'000);
  const auto messages = net.sent_messages(0);
  const auto bytes = net.sent_bytes(0);
  net.run_for(week_ms);
  const auto rounds = week_ms / 30'000 + 1;
  // L5: a hello, a standstill message, and a proposal if it leads, to each of three nodes.
  if (net.sent_messages(0) - messages > rounds * 3 * 3) return fails(net, "too many messages");
  if (net.sent_bytes(0) - bytes > rounds * 3 * 4'096) return fails(net, "too many bytes");
  silent = false;
  const auto bound = heal_bound_ms(net);
  if (!net.run_blocks(10, bound)) return fails(net, "not back in " + std::to_string(bound) + " ms");
  return ends(net);
}

/// No proposal arrives for hours, but votes do, so that about one view a minute is skipped. One
/// node was away all the time. It has to fetch the certificates of all these views, since the next
/// block stands on the block before them.
shortcoming hours_of_skips(std::uint64_t seed) {
  auto p = story_plan(seed, 4, 0, 0);
  p.options.seed = seed;
  auto net = begin(std::move(p));
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  net.crash(3);
  bool silent = true;
  net.set_filter([&](auto, auto, const peer_message& m) {
    return silent && std::holds_alternative<peer::proposal>(m);
  });
  net.run_for(3'600'000);
  const auto before = longest(net);
  const auto bytes = net.sent_bytes(0);
  const auto first = net.core(0)->view();
  net.run_for(hours_ms);
  if (longest(net) != before) return fails(net, "a block that no node has seen is final");
  const auto views = net.core(0)->view() - first;
  if (views > hours_ms / 60'000 + 1) return fails(net, std::to_string(views) + " views");
  if (views + 20 < hours_ms / 60'000) return fails(net, std::to_string(views) + " views");
  // For each view a node sends a vote, a certificate and a proposal to each of two nodes; for each
  // standstill a hello and messages that show 64 views.
  const auto rounds = hours_ms / 30'000 + 1;
  const auto limit = views * 2 * 4'096 + rounds * 2 * (64 * 512 + 64 * 160 + 4'096);
  if (net.sent_bytes(0) - bytes > limit) return fails(net, "too many bytes");
  if (net.core(0)->held_bytes() > std::size_t{4} << 20) return fails(net, "too much is kept");
  silent = false;
  net.restart(3);
  if (!net.run_blocks(2, 600'000)) return fails(net, "not back in ten minutes");
  if (!net.run_blocks(10, 60'000)) return fails(net, "slow when it is back");
  return ends(net);
}

// ---- 27

/// As many nodes as may be Byzantine cast all votes in the next 64 views and far beyond.
shortcoming far_votes(std::uint64_t seed) {
  auto p = story_plan(seed, size_of_seed(seed), 0, 0);
  const auto few = most_faulty(p.nodes.size());
  for (std::size_t i = 0; i < few; ++i) {
    p.nodes[i].behaviours = static_cast<std::uint32_t>(behaviour::silent);
  }
  p.epoch_ms = 3'600'000;
  auto net = begin(std::move(p));
  if (!net.run_blocks(2, 120'000)) return fails(net, "no blocks at first");
  const auto victim = static_cast<std::uint32_t>(net.size() - 1);
  const auto view = net.core(victim)->view();
  const auto before = net.core(victim)->held_bytes();
  const auto kinds =
      std::to_array<vote_kind>({vote_kind::notarize, vote_kind::skip, vote_kind::finalize});
  for (std::uint32_t from = 0; from < few; ++from) {
    for (std::uint64_t i = 0; i < 512; ++i) {
      const auto far = i < 64 ? view + 1 + i : view + 1 + i * i * 97;
      for (const auto kind : kinds) {
        for (std::uint64_t other = 0; other < 3; ++other) {
          const auto block =
              kind == vote_kind::skip ? block_id{} : id_from<block_id>(mix(i, other, from));
          const auto vote = net.signed_by(from, {kind, {0}, far, block});
          net.inject(from, victim, message(peer::vote{vote}));
        }
      }
    }
  }
  net.run_for(1'000);
  // One vote of each kind and view is kept. A vote that contradicts it is reported and not kept.
  const auto limit = before + 70 * (2'048 + few * 3 * 160) + 65'536;
  if (net.core(victim)->held_bytes() > limit) {
    return fails(net, std::to_string(net.core(victim)->held_bytes()) + " bytes, not " +
                          std::to_string(limit));
  }
  if (!net.run_blocks(5, 120'000)) return fails(net, "the chain does not go on");
  return ends(net);
}

}  // namespace

// By R13 clocks bound the time of blocks and nothing else; by E1 this time decides when an epoch
// ends.
TEST_CASE("scenario 13: clocks an hour off, jumping, leaping and standing decide nothing") {
  for (const auto kind : {clock_kind::ahead, clock_kind::behind, clock_kind::jumps_back,
                          clock_kind::leaps, clock_kind::stands}) {
    CAPTURE(static_cast<int>(kind));
    const auto story = [kind](std::uint64_t seed) { return clocks_are_wrong(seed, kind); };
    holds(story, 1, 10);
    if (kind == clock_kind::ahead) notices(story, "future_time_accepted", 1, 10);
  }
}

// By R10 the messages of an outage are bounded, which is L5.
TEST_CASE("scenario 26: a week in which nothing passes") {
  holds(a_week_of_silence, 1, 2);
}

// By R1 an outage has few views, and by S11 little is kept of skipped views; so L5 holds.
TEST_CASE("scenario 26: hours in which every view is skipped") {
  holds(hours_of_skips, 1, 2);
}

// By R5 votes count only up to 64 views ahead, which is a part of S11.
TEST_CASE("scenario 27: votes for views far ahead take no memory") {
  holds(far_votes, 1, 10);
  notices(far_votes, "votes_of_any_view", 1, 2);
}
