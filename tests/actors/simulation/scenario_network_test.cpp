// Scenarios 10 to 12: partitions, delays and repeated messages.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "tests/actors/simulation/scenario_support.hpp"

using namespace soma;
using namespace soma::simulation;
using namespace soma::simulation::testing;

namespace {

node_set bit(std::uint64_t node_index) {
  return node_set{1} << node_index;
}
node_set everybody(const network& net) {
  return static_cast<node_set>((std::uint64_t{1} << net.size()) - 1);
}

// ---- 10

/// While `part` cuts the network, nothing may become final. After it has healed, all nodes have to
/// go on within the bound.
shortcoming without_quorum(std::uint64_t seed,
                           const std::function<void(network&, std::uint64_t)>& part) {
  auto net = begin(story_plan(seed, size_of_seed(seed)));
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  part(net, seed);
  net.run_for(3'000);  // what was on its way arrives
  const auto before = longest(net);
  net.run_for(10'000 + seed % 5 * 20'000);
  if (longest(net) != before) return fails(net, "a block is final without a quorum");
  const auto bound = heal_bound_ms(net);
  net.heal_network();
  if (!net.run_blocks(10, bound))
    return fails(net, "not healed in " + std::to_string(bound) + " ms");
  return ends(net);
}

void in_halves(network& net, std::uint64_t) {
  net.partition(bit(net.size() / 2) - 1);
}

/// The leader of the present view is in a group that is too small for a quorum.
void leader_in_minority(network& net, std::uint64_t) {
  const auto& core = *net.core(0);
  const auto leader = core.members().leader(core.view());
  node_set group = bit(leader.value);
  for (std::uint32_t i = 0; std::popcount(group) < static_cast<int>(most_faulty(net.size())); ++i) {
    group |= bit(i);
  }
  // The others lack one node for a quorum, too.
  const auto rest = everybody(net) & ~group;
  net.partition(group);
  net.partition(rest & (~rest + 1));
}

void in_a_ring(network& net, std::uint64_t) {
  const auto size = net.size();
  for (std::size_t i = 0; i < size; ++i) {
    const auto near = bit(i) | bit((i + 1) % size) | bit((i + size - 1) % size);
    net.cut(bit(i), everybody(net) & ~near);
  }
}

/// All nodes hear the lower half of the nodes, and no node hears the upper half.
void one_way(network& net, std::uint64_t) {
  const auto lower = bit(net.size() / 2) - 1;
  net.cut(everybody(net) & ~lower, everybody(net));
}

/// A quorum stays together, and the chain goes on. The other nodes are cut off in one direction or
/// in both.
shortcoming with_quorum(std::uint64_t seed) {
  auto net = begin(story_plan(seed, size_of_seed(seed)));
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  const auto away = bit(most_faulty(net.size())) - 1;
  const auto rest = everybody(net) & ~away;
  if (seed % 3 != 1) net.cut(away, rest);
  if (seed % 3 != 2) net.cut(rest, away);
  const auto before = longest(net);
  net.run_for(40'000);
  if (longest(net) < before + 8) return fails(net, "a quorum does not go on");
  if (seed % 3 == 2 && net.height(0) + 3 < longest(net))
    return fails(net, "a node that hears the quorum does not follow");
  const auto bound = heal_bound_ms(net);
  net.heal_network();
  if (!net.run_blocks(10, bound))
    return fails(net, "not healed in " + std::to_string(bound) + " ms");
  return ends(net);
}

/// Some links come and go, and some cut off the leader. Then the links of all nodes break one after
/// the other, and come back in another order.
shortcoming comes_and_goes(std::uint64_t seed) {
  auto p = story_plan(seed, size_of_seed(seed));
  const auto size = p.nodes.size();
  const auto half = static_cast<node_set>(bit(size / 2) - 1);
  p.faults.push_back({fault_kind::flapping, 5'000, 25'000, half, 0, 200 + seed % 5 * 700});
  p.faults.push_back(
      {fault_kind::leader_apart, 25'000, 50'000, bit(seed % size), 0, 300 + seed % 7 * 400});
  auto net = begin(std::move(p));
  net.run_for(50'000);
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < size; ++i) order.push_back(i);
  const auto shuffle = [&](std::uint64_t by) {
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return mix(seed, i, by); });
  };
  shuffle(1);
  for (const auto i : order) {  // "swizzle": nodes are cut off in a random order
    net.cut(bit(i), everybody(net));
    net.cut(everybody(net), bit(i));
    net.run_for(mix(seed, i, 2) % 3'000);
  }
  net.run_for(3'000);
  const auto before = longest(net);
  net.run_for(5'000);
  if (longest(net) != before) return fails(net, "a block is final although no node hears another");
  shuffle(3);
  for (std::size_t free = 1; free <= size; ++free) {  // "clog": they come back in another one
    net.heal_network();
    for (std::size_t i = free; i < size; ++i) {
      net.cut(bit(order[i]), everybody(net));
      net.cut(everybody(net), bit(order[i]));
    }
    net.run_for(mix(seed, free, 4) % 3'000);
  }
  const auto bound = heal_bound_ms(net);
  net.heal_network();
  if (!net.run_blocks(10, bound))
    return fails(net, "not healed in " + std::to_string(bound) + " ms");
  return ends(net);
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

/// Messages of one class take ten seconds. Blocks still come, and afterwards as fast as before.
shortcoming one_class_is_slow(std::uint64_t seed, std::uint64_t which) {
  auto p = story_plan(seed, 4 + seed % 4);
  p.epoch_ms = 3'600'000;
  auto net = begin(std::move(p));
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  net.set_delay([which](auto, auto, const peer_message& m) {
    return is_of_class(m, which) ? 10'000'000 : 0;
  });
  const auto before = longest(net);
  std::uint64_t most_ahead = 0;
  net.run_until(
      [&](const network& x) {
        most_ahead = std::max(most_ahead, x.core(0)->view() - x.core(0)->base().view);
        return false;
      },
      250'000);
  if (longest(net) < before + 8) {
    return fails(net, "only " + std::to_string(longest(net) - before) + " blocks");
  }
  // Views do not wait for what is final.
  if (which == 2 && most_ahead <= 5) return fails(net, "nothing is final only after five views");
  if (which == 2 && longest(net) < before + 200) return fails(net, "finality holds up the views");
  net.set_delay(nullptr);
  net.run_for(30'000);
  if (!net.run_blocks(20, 60'000)) return fails(net, "it stays slow");
  return ends(net);
}

/// A quorum is fast, and the messages of the other nodes take seconds. They may delay only the
/// views in which they lead.
shortcoming all_but_a_quorum_are_slow(std::uint64_t seed) {
  auto p = story_plan(seed, tight_size(seed));
  p.epoch_ms = 3'600'000;
  auto net = begin(std::move(p));
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  const auto slow = most_faulty(net.size());
  net.set_delay([slow](std::uint32_t from, std::uint32_t to, const peer_message&) {
    return from < slow || to < slow ? 3'000'000 : 0;
  });
  const auto before = longest(net);
  net.run_for(120'000);
  if (longest(net) < before + 40) return fails(net, "a fast quorum does not go on");
  if (net.height(0) + 20 < longest(net)) return fails(net, "a slow one does not follow");
  net.set_delay(nullptr);
  if (!net.run_blocks(10, 60'000)) return fails(net, "it stays slow");
  return ends(net);
}

// ---- 12

/// A node sends all messages of others again later, to any node, also to their author, and votes of
/// another chain with them. No node may be accused, fenced or held up by that.
shortcoming everything_again(std::uint64_t seed) {
  auto p = story_plan(seed, size_of_seed(seed), 1);
  const auto repeater = static_cast<std::uint32_t>(p.nodes.size() - 1);
  p.nodes[repeater].behaviours = puppet;
  const forger other_chain(story_plan(seed + 1'000, 4));
  const forger own_chain(p);
  auto net = begin(p);
  std::vector<std::shared_ptr<const peer_message>> heard;
  bool repeating = false;
  std::uint64_t first = 0;
  net.set_filter([&](std::uint32_t from, std::uint32_t to, const peer_message& m) {
    if (!repeating && from != repeater && to == (from + 1) % net.size() && heard.size() < 20'000) {
      heard.push_back(std::make_shared<const peer_message>(m));
    }
    return false;
  });
  if (!net.run_blocks(3, 60'000)) return fails(net, "no blocks at first");
  first = longest(net);
  for (std::uint64_t round = 0; round < 600; ++round) {
    repeating = true;
    for (std::uint64_t i = 0; i < 12; ++i) {
      const auto dice = mix(seed, round, i);
      const auto to = static_cast<std::uint32_t>(dice % (net.size() - 1));
      net.inject(repeater, to, heard[dice / 64 % heard.size()]);
    }
    if (round % 20 == 0) {
      // A member's vote, signed with its key, for the same view of another chain.
      const auto who = static_cast<std::uint16_t>(round / 20 % (net.size() - 1));
      const vote_statement statement{vote_kind::finalize, net.epoch(0), net.core(0)->view(),
                                     id_from<block_id>(round)};
      const auto key = own_chain.keys().key(who, 0);
      const auto by = own_chain.keys().sign_vote(key, statement, other_chain.keys().chain());
      net.inject(repeater, (who + 1u) % static_cast<std::uint32_t>(net.size() - 1),
                 message(peer::vote{member_vote{statement, who, by}}));
    }
    repeating = false;
    net.run_for(50);
    for (std::uint32_t i = 0; i < repeater; ++i) {
      if (net.core(i)->fenced())
        return fails(net, "a node takes its own old votes for those of another process");
    }
  }
  if (net.evidence_reported() != 0)
    return fails(net, "a node is accused because of repeated messages");
  if (!net.state().slashed.empty()) return fails(net, "a member is punished");
  if (net.epoch(0).value < 3) return fails(net, "epochs do not end");
  if (longest(net) < first + 25) return fails(net, "it is held up");
  if (net.counts()[coverage::blamed] == 0) return "votes of another chain are taken";
  if (!net.run_blocks(5, 60'000)) return fails(net, "the chain does not go on");
  return ends(net);
}

}  // namespace

// By R9 only a certificate makes a block final; R10 repairs what was lost in the meantime.
TEST_CASE("scenario 10: halves, rings, one-way links: nothing is final without a quorum") {
  const auto parted = [](auto part) {
    return [part](std::uint64_t seed) { return without_quorum(seed, part); };
  };
  holds(parted(in_halves), 1, 20);
  holds(parted(leader_in_minority), 1, 20);
  holds(parted(one_way), 1, 20);
  notices(parted(in_halves), "commits_when_notarized", 1, 20);
  notices(parted(in_halves), "no_standstill", 1, 10);
  // In a ring of four or five nodes three neighbours are a quorum, or nearly one.
  const auto ring = [](std::uint64_t seed) {
    return size_of_seed(seed) < 6 ? shortcoming{} : without_quorum(seed, in_a_ring);
  };
  holds(ring, 1, 20);
}

// By R11 nodes that were cut off ask for what they have missed (L3).
TEST_CASE("scenario 10: a quorum that stays together goes on, and the others come back") {
  holds(with_quorum, 1, 21);
  notices(with_quorum, "blocks_not_fetched", 1, 6);
}

TEST_CASE("scenario 10: flapping links, a leader always apart, swizzle and clog") {
  holds(comes_and_goes, 1, 20);
}

// Views do not wait for final blocks (R6, R9), whatever is slow.
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
