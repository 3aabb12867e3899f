// A large committee with a third of the power in the hands of attackers. They vote first in every
// block, and only where their votes can help them.
#pragma once

#include <numeric>

#include "tests/actors/rules/sampling/sampled_network.hpp"

namespace soma::test {

/// What the members of the third do with audits of honest claims.
enum class conduct { honest, silent, dissent };

struct audit_tally {
  std::uint64_t lies = 0, lies_settled = 0;
  std::uint64_t truths = 0, truths_settled = 0, by_sample = 0;
  std::uint64_t votes_of_honest = 0;  // on honest claims
  std::uint64_t members = 0;          // of the committees that audited honest claims
};

class sampled_world {
 public:
  sampled_world(std::uint64_t seed, conduct how)
      : d_{seed}, how_(how), a_(24 + d_.below(40), stakes(d_)), attacks_(a_.seats().size()) {
    // As many members as have no more than a third of the power together, in random order.
    const auto seats = a_.seats();
    REQUIRE(seats.size() > rules::audit_draws);
    std::vector<std::size_t> order(seats.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[d_.below(i)]);
    std::uint32_t power = 0;
    for (const auto i : order) {
      if (power + seats[i].power.value > 3'333) continue;
      power += seats[i].power.value;
      attacks_[i] = true;
    }
    CHECK(power > 3'000);
  }

  /// Two claims, of which one is a lie: both are revealed, and audited until they have ended.
  void round(audit_tally& t) {
    const auto lie = a_.revealed(a_.mallory);
    const auto truth = a_.revealed(a_.alice);
    for (int step = 0; step < 40 && !(is_over(lie) && is_over(truth)); ++step) {
      vote_of_attackers(lie, audit_verdict::ok);
      if (how_ == conduct::honest) vote_of_attackers(truth, audit_verdict::ok);
      if (how_ == conduct::dissent) vote_of_attackers(truth, audit_verdict::wrong_loss);
      if (step > 0) {  // the others need the time that scoring takes
        (void)vote_of_others(lie, audit_verdict::wrong_loss);
        t.votes_of_honest += vote_of_others(truth, audit_verdict::ok);
      }
      a_.net.block(step < 4 ? 1 : 400);
      for (const auto& outcome : a_.net.last.outcomes) REQUIRE(!outcome.reason);
    }
    ++t.lies;
    ++t.truths;
    t.members += a_.seats().size();
    t.lies_settled += a_.status(lie) == target_status::settled ? 1 : 0;
    t.truths_settled += a_.status(truth) == target_status::settled ? 1 : 0;
    t.by_sample += a_.submission(truth).sampled ? 1 : 0;
  }

 private:
  static std::vector<std::uint64_t> stakes(dice& d) {
    std::vector<std::uint64_t> all(64);
    const auto spread = d.chance(50) ? 1 : 3'000;
    for (auto& stake : all) stake = 1'000 + d.below(spread);
    return all;
  }
  [[nodiscard]] bool is_over(const target_id& id) const {
    return a_.status(id) != target_status::revealed;
  }
  [[nodiscard]] bool may_say(std::size_t seat, const target_id& id, audit_verdict verdict) const {
    const auto s = a_.submission(id);
    const auto committee = ledger::read_committee(a_.net.state);
    const auto& member = committee.seats[seat].member;
    for (const auto& vote : s.votes) {
      if (vote.voter == member) return false;
    }
    return verdict != audit_verdict::ok ||
           rules::is_called(a_.net.genesis.parameters, s, committee, a_.net.chain_now(), member);
  }
  void vote_of_attackers(const target_id& id, audit_verdict verdict) {
    if (is_over(id)) return;
    for (std::size_t i = 0; i < attacks_.size(); ++i) {
      if (attacks_[i] && may_say(i, id, verdict)) a_.send_vote(i, id, verdict);
    }
  }
  /// Those that are called look and say what is so; none of the others looks.
  std::uint64_t vote_of_others(const target_id& id, audit_verdict verdict) {
    if (is_over(id)) return 0;
    std::uint64_t sent = 0;
    for (std::size_t i = 0; i < attacks_.size(); ++i) {
      if (attacks_[i] || !may_say(i, id, audit_verdict::ok)) continue;
      if (may_say(i, id, verdict)) a_.send_vote(i, id, verdict);
      ++sent;
    }
    return sent;
  }

  dice d_;
  conduct how_;
  sampled_network a_;
  std::vector<bool> attacks_;
};

inline audit_tally worlds_of(conduct how, std::uint64_t worlds, std::uint64_t rounds) {
  audit_tally t;
  for (std::uint64_t seed = 0; seed < worlds; ++seed) {
    CAPTURE(seed);
    sampled_world world(seed * 3 + static_cast<std::uint64_t>(how), how);
    for (std::uint64_t round = 0; round < rounds; ++round) world.round(t);
  }
  CHECK(t.lies == worlds * rounds);
  CHECK(t.lies_settled == 0);
  CHECK(t.truths_settled == t.truths);
  return t;
}

}  // namespace soma::test
