// Scenarios 16 and 17: committees that change, and failures while an epoch ends.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/actors/simulation/scenario_support.hpp"

using namespace soma;
using namespace soma::simulation;
using namespace soma::simulation::testing;

namespace {

node_set bit(std::uint64_t node_index) {
  return node_set{1} << node_index;
}

simulation::committee_plan seats_of(const std::vector<std::uint16_t>& identities,
                                    std::uint16_t version = 0) {
  const auto powers = powers_of(std::vector<std::uint32_t>(identities.size(), 1));
  simulation::committee_plan seats;
  for (std::size_t i = 0; i < identities.size(); ++i) {
    seats.push_back({identities[i], version, powers[i]});
  }
  return seats;
}
std::vector<std::uint16_t> from_to(std::uint16_t first, std::uint16_t last) {
  std::vector<std::uint16_t> all;
  for (auto i = first; i < last; ++i) all.push_back(i);
  return all;
}

bool all_in(const network& net, std::uint64_t epoch) {
  for (std::uint32_t i = 0; i < net.size(); ++i) {
    if (net.core(i) == nullptr || net.core(i)->epoch().value < epoch) return false;
  }
  return true;
}

/// The number of closing blocks in the longest ledger; nullopt when its epochs are not in order.
std::optional<std::uint64_t> epochs_in_ledger(const network& net) {
  std::uint64_t count = 0;
  for (std::uint64_t h = 1; h <= longest(net); ++h) {
    const auto& header = net.block_at(h)->block.header;
    if (header.epoch.value != count) return std::nullopt;
    if ((header.flags & block_is_filler) != 0) return std::nullopt;
    if ((header.flags & block_closes_epoch) != 0) ++count;
  }
  return count;
}

shortcoming check_epochs(const network& net) {
  const auto count = epochs_in_ledger(net);
  if (!count) return fails(net, "a block is of another epoch than those before it say");
  if (*count != net.state().epoch) return fails(net, "an epoch did not advance exactly once");
  return ends(net);
}

/// Members vote in the epochs in which they have a seat, and no other node votes.
shortcoming committees_change(std::uint64_t seed, std::size_t node_count,
                              std::vector<simulation::committee_plan> committees) {
  auto p = story_plan(seed, node_count);
  p.committees = std::move(committees);
  p.epoch_ms = 5'000;
  const auto plans = p.committees;
  auto net = begin(std::move(p));
  listener all(net);
  if (!net.run_until([&](const network& x) { return all_in(x, plans.size() + 1); }, 400'000)) {
    return fails(net, "an epoch does not end for all");
  }
  if (!net.run_blocks(3, 60'000)) return fails(net, "the last committee does not go on");
  for (std::uint32_t node_index = 0; node_index < net.size(); ++node_index) {
    for (std::size_t e = 0; e < plans.size(); ++e) {
      const auto sits = std::ranges::any_of(
          plans[e], [&](const seat_plan& s) { return s.identity == node_index; });
      const auto votes = std::ranges::count_if(
          all.votes[node_index], [&](const vote_statement& v) { return v.epoch.value == e; });
      if (sits && votes == 0) return fails(net, "a member says nothing in its epoch");
      if (!sits && votes != 0) return fails(net, "a node without a seat votes");
    }
  }
  for (std::uint64_t h = 1; h <= longest(net); ++h) {
    const auto& header = net.block_at(h)->block.header;
    const auto& seats = plans[std::min<std::size_t>(header.epoch.value, plans.size() - 1)];
    if (header.proposer.value >= seats.size()) return "a block's proposer has no seat";
  }
  if (net.evidence_reported() != 0) return "a change of committees looks like a lie";
  return check_epochs(net);
}

shortcoming all_replaced(std::uint64_t seed) {
  const auto size = static_cast<std::uint16_t>(4 + seed % 4);
  const auto twice = static_cast<std::uint16_t>(2 * size);
  return committees_change(
      seed, twice,
      {seats_of(from_to(0, size)), seats_of(from_to(size, twice)), seats_of(from_to(0, size))});
}
shortcoming one_more_one_less(std::uint64_t seed) {
  const auto size = static_cast<std::uint16_t>(4 + seed % 6);
  return committees_change(
      seed, size + 1u,
      {seats_of(from_to(0, size)), seats_of(from_to(0, static_cast<std::uint16_t>(size + 1))),
       seats_of(from_to(1, static_cast<std::uint16_t>(size + 1)))});
}
shortcoming shrinks_to_four(std::uint64_t seed) {
  const auto size = static_cast<std::uint16_t>(9 + seed % 5);
  const auto first = static_cast<std::uint16_t>(seed % 5);
  return committees_change(seed, size,
                           {seats_of(from_to(0, size)),
                            seats_of(from_to(first, static_cast<std::uint16_t>(first + 4)))});
}
shortcoming keys_rotate(std::uint64_t seed) {
  const auto size = static_cast<std::uint16_t>(4 + seed % 6);
  return committees_change(
      seed, size,
      {seats_of(from_to(0, size)), seats_of(from_to(0, size), 1), seats_of(from_to(0, size), 2)});
}

/// The epoch ends while the network is parted. No node gets to the next epoch without a quorum.
shortcoming ends_while_parted(std::uint64_t seed) {
  const auto size = static_cast<std::uint16_t>(4 + seed % 6);
  const auto all = static_cast<std::uint16_t>(size + 2);
  auto p = story_plan(seed, all);
  p.committees = {seats_of(from_to(0, size)), seats_of(from_to(2, all))};
  auto net = begin(std::move(p));
  listener heard(net);
  const auto epoch_ends = [](const network& x) {  // the closing block is proposed, but not final
    return x.now_ms() + genesis_ms >= x.state().epoch_end_ms;
  };
  if (!net.run_until(epoch_ends, 60'000)) return fails(net, "no end of an epoch");
  net.run_for(mix(seed, 1) % 250);
  net.partition(bit(size / 2) - 1);
  net.run_for(15'000 + seed % 3 * 10'000);
  net.heal_network();
  if (!net.run_until([&](const network& x) { return all_in(x, 3); }, 200'000)) {
    return fails(net, "an epoch does not end for all");
  }
  return check_epochs(net);
}

/// A node stops between the proof of an epoch's end and its first write in the next epoch, or while
/// the closing block goes into its ledger.
shortcoming stops_between_epochs(std::uint64_t seed) {
  const auto size = static_cast<std::uint16_t>(4 + seed % 6);
  auto p = story_plan(seed, size + 1u);
  p.committees = {seats_of(from_to(0, size)),
                  seats_of(from_to(1, static_cast<std::uint16_t>(size + 1)))};
  auto net = begin(std::move(p));
  listener all(net);
  const auto victim = static_cast<std::uint32_t>(1 + seed % (size - 1u));
  if (!net.run_blocks(2, 60'000)) return fails(net, "no blocks at first");
  const auto first_of_epoch = [](const record_batch& b) { return b.new_epoch.has_value(); };
  switch (seed % 4) {
    case 0:
      net.crash_when(victim, crash_point::before_durable, first_of_epoch);
      break;
    case 1:
      net.crash_when(victim, crash_point::before_answer, first_of_epoch);
      break;
    case 2:  // the ledger is in the new epoch, the record in the old one
      net.run_until([&](const network& x) { return x.epoch(victim).value == 1; }, 60'000);
      net.crash(victim);
      break;
    default:  // the ledger is an epoch behind
      net.run_until(
          [&](const network& x) { return x.now_ms() + genesis_ms >= x.state().epoch_end_ms; },
          60'000);
      net.crash_at(victim, crash_point::in_commit, 1);
      break;
  }
  const auto down = [&](const network& x) { return x.core(victim) == nullptr; };
  if (!net.run_until(down, 60'000)) return fails(net, "it does not stop there");
  net.run_for(seed % 3 * 2'000);
  all.forget();
  net.restart(victim);
  if (!net.run_until([&](const network& x) { return all_in(x, 3); }, 200'000)) {
    return fails(net, "an epoch does not end for all");
  }
  if (all.votes_from(victim, {1}) == 0) return fails(net, "it does not vote again");
  if (net.evidence_reported() != 0) return "it contradicts itself";
  return check_epochs(net);
}

/// Members that were away when their epoch ended come back when they have no seat any more. The new
/// committee has to go on without them. The nodes that stayed can answer the new members that come
/// late.
shortcoming late_ex_members(std::uint64_t seed) {
  const auto size = static_cast<std::uint16_t>(tight_size(seed % 3));
  const auto all = static_cast<std::uint16_t>(2 * size);
  auto p = story_plan(seed, all);
  p.committees = {seats_of(from_to(0, size)), seats_of(from_to(size, all))};
  p.epoch_ms = 5'000;
  const auto few = static_cast<std::uint32_t>(most_faulty(size));
  for (std::uint32_t i = 0; i < few; ++i) p.nodes[size + i].start_ms = 30'000;  // late newcomers
  auto net = begin(std::move(p));
  listener heard(net);
  if (!net.run_until([](const network& x) { return longest(x) >= 2; }, 60'000)) {
    return fails(net, "no blocks at first");
  }
  for (std::uint32_t i = 0; i < few; ++i) net.crash(i);
  const auto later = [](const network& x) { return x.state().epoch >= 3; };
  if (!net.run_until(later, 200'000)) return fails(net, "the new committee does not go on");
  heard.forget();
  for (std::uint32_t i = 0; i < few; ++i) net.restart(i);
  if (!net.run_until([&](const network& x) { return all_in(x, 4); }, 200'000)) {
    return fails(net, "ex-members or late ones do not learn how epochs ended");
  }
  net.run_for(10'000);
  for (std::uint32_t i = 0; i < few; ++i) {
    if (heard.votes_from(i, {1}) != 0) return fails(net, "an ex-member votes in another's epoch");
    if (heard.votes_from(size + i, {1}) == 0) return fails(net, "a late member never votes");
  }
  return check_epochs(net);
}

/// A leader proposes two closing blocks, or two fillers after the closing block.
shortcoming fillers_conflict(std::uint64_t seed) {
  auto p = story_plan(seed, tight_size(seed));
  for (std::size_t i = 0; i < most_faulty(p.nodes.size()); ++i) p.nodes[i].behaviours = puppet;
  const auto puppets = static_cast<std::uint32_t>(most_faulty(p.nodes.size()));
  forger forge(p);
  auto net = begin(p);
  listener all(net);
  bool injecting = false;
  std::uint64_t rivals = 0;
  std::map<block_id, block_ptr> made;
  // Finalize votes of the epoch's last views are slow, so that fillers are needed.
  net.set_delay([&](auto, auto, const peer_message& m) {
    const auto* v = std::get_if<peer::vote>(&m);
    return v != nullptr && v->signed_vote.statement.kind == vote_kind::finalize ? 2'500'000 : 0;
  });
  all.drops = [&](std::uint32_t from, std::uint32_t to, const peer_message& m) {
    const auto* proposal = std::get_if<peer::proposal>(&m);
    if (proposal == nullptr || injecting) return false;
    forge.see(proposal->block);
    const auto& h = proposal->block->block.header;
    const auto ending = (h.flags & (block_closes_epoch | block_is_filler)) != 0;
    if (!ending || from >= puppets || h.proposer.value != from || to % 2 == 0) return false;
    auto& rival = made[proposal->block->id];
    if (rival == nullptr) rival = forge.rival(*proposal->block, 1);
    if (rival == nullptr) return false;
    ++rivals;
    auto other = *proposal;
    other.block = rival;
    injecting = true;
    net.inject(from, to, message(other));  // half of the other nodes get the rival
    injecting = false;
    return true;
  };
  if (!net.run_until([](const network& x) { return x.state().epoch >= 4 + x.size() / 2; },
                     400'000)) {
    return fails(net, "epochs do not end");
  }
  const auto enough = rivals != 0;
  net.set_delay(nullptr);
  if (!net.run_blocks(5, 120'000)) return fails(net, "it does not go on");
  if (!enough) return "no leader at the end of an epoch had two faces";
  for (const auto who : net.state().slashed) {
    if (who >= puppets) return "an honest member is punished";
  }
  return check_epochs(net);
}

// ---- 17

/// A node executes the closing block, but does not hear that it is final. Then the proof, the votes
/// and the answers of others reach it in any order, and all of them twice.
shortcoming delivered_twice(std::uint64_t seed) {
  auto p = story_plan(seed, size_of_seed(seed));
  p.epoch_ms = 5'000;
  auto net = begin(std::move(p));
  const auto late = static_cast<std::uint32_t>(seed % net.size());
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const peer_message>>> kept;
  bool apart = false;
  bool sending = false;
  net.set_filter([&](std::uint32_t from, std::uint32_t to, const peer_message& m) {
    if (to != late || sending) return false;
    if (std::holds_alternative<peer::transactions>(m)) return false;
    if (kept.size() < 3'000) kept.emplace_back(from, std::make_shared<const peer_message>(m));
    if (!apart) return false;
    const auto* v = std::get_if<peer::vote>(&m);
    // It hears proposals and votes to notarize, but not what makes a block final.
    return !(std::holds_alternative<peer::proposal>(m) ||
             (v != nullptr && v->signed_vote.statement.kind == vote_kind::notarize));
  });
  if (!net.run_blocks(2, 60'000)) return fails(net, "no blocks at first");
  for (std::uint64_t round = 0; round < 4; ++round) {
    const auto epoch = net.epoch(late).value;
    const auto near = [](const network& x) {
      return x.now_ms() + genesis_ms + 200 >= x.state().epoch_end_ms;
    };
    if (!net.run_until(near, 60'000)) return fails(net, "no end of an epoch");
    apart = true;
    const auto others_are_on = [&](const network& x) {
      return x.epoch((late + 1) % static_cast<std::uint32_t>(x.size())).value > epoch;
    };
    if (!net.run_until(others_are_on, 60'000)) return fails(net, "the others do not go on");
    if (net.epoch(late).value != epoch) return fails(net, "it ends an epoch without a proof");
    net.run_for(seed % 4 * 700);
    apart = false;
    auto order = kept;
    if (seed % 2 == 0) std::ranges::reverse(order);
    sending = true;
    for (int again = 0; again < 2; ++again) {
      for (const auto& [from, m] : order) net.inject(from, late, m);
    }
    sending = false;
    kept.clear();
    const auto there = [&](const network& x) { return x.epoch(late).value > epoch; };
    if (!net.run_until(there, 60'000)) return fails(net, "it does not learn of the end");
    if (net.epoch(late).value > net.state().epoch) return fails(net, "it advanced more than once");
  }
  if (!net.run_blocks(3, 60'000)) return fails(net, "it does not go on");
  // Each closing block moved each ledger by exactly one epoch.
  if (net.epoch(late).value != net.state().epoch && !net.run_blocks(2, 60'000))
    return "it stays behind";
  return check_epochs(net);
}

}  // namespace

// By E5 the committee and the leaders change with the epoch, and by L4 every epoch ends.
TEST_CASE("scenario 16: all of a committee is replaced, and back") {
  holds(all_replaced, 1, 8);
  notices(all_replaced, "committee_stays", 1, 4);
  notices(all_replaced, "leaders_stay", 1, 4);
}

TEST_CASE("scenario 16: one member more, one less") {
  holds(one_more_one_less, 1, 8);
  notices(one_more_one_less, "committee_stays", 1, 4);
}

TEST_CASE("scenario 16: a committee shrinks to four") {
  holds(shrinks_to_four, 1, 8);
  notices(shrinks_to_four, "committee_stays", 1, 4);
}

// By E5 a key counts only in the epochs of its committee.
TEST_CASE("scenario 16: all members have other keys in each epoch") {
  holds(keys_rotate, 1, 8);
  notices(keys_rotate, "committee_stays", 1, 4);
}

// By E3 an epoch ends only with a certificate, and by E2 only fillers follow the closing block
// before that.
TEST_CASE("scenario 16: the closing block meets a partition") {
  holds(ends_while_parted, 1, 24);
  notices(ends_while_parted, "epoch_goes_on", 1, 24);
}

// A crash may leave the ledger and the record in different epochs (E3), and R0 starts from both.
TEST_CASE("scenario 16: a crash between the proof of an epoch's end and the next epoch") {
  holds(stops_between_epochs, 1, 24);
  notices(stops_between_epochs, "resumes_at_base", 1, 12);
}

// By E4 a peer in an older epoch is told how that epoch ended; L3 and L4 follow.
TEST_CASE("scenario 16: ex-members and newcomers that are late") {
  holds(late_ex_members, 1, 9);
  notices(late_ex_members, "epoch_end_not_told", 1, 3);
}

// By E2 fillers change nothing, so two fillers are not two ends of an epoch, and S8 holds.
TEST_CASE("scenario 16: two fillers, two closing blocks, one end") {
  holds(fillers_conflict, 1, 12);
  notices(fillers_conflict, "epoch_goes_on", 1, 6);
}

// By E1 an epoch ends with the execution of its closing block, and by S8 only once.
TEST_CASE("scenario 17: an end of an epoch that comes by execution and by sync counts once") {
  holds(delivered_twice, 1, 20);
  notices(delivered_twice, "leaders_stay", 1, 10);
}
