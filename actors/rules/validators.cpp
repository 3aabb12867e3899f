#include "actors/rules/validators.hpp"

#include <algorithm>
#include <set>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/pools.hpp"

namespace soma::rules {

void count_signatures(block_run& run, std::span<const address> signers) {
  for (const auto& who : std::set<address>(signers.begin(), signers.end())) {
    if (run.state.power_of(who) == 0) continue;
    run.state.validators.update(who, [](validator_row& v) { ++v.blocks_signed; });
  }
}

void count_due_audit(block_run& run) {
  for (const auto& seat : run.state.committee()) {
    run.state.validators.update(seat.member, [](validator_row& v) { ++v.audits_due; });
  }
}

bool took_part(const validator_row& v, std::uint64_t blocks_in_epoch) {
  return v.blocks_signed >= (blocks_in_epoch + 1) / 2 && v.audits_cast >= (v.audits_due + 1) / 2;
}

void reward_validators(block_run& run, shannons amount) {
  const std::uint64_t blocks = run.height.value - run.state.chain().epoch_first_block.value + 1;
  shannons left = amount;
  for (const auto& seat : run.state.committee()) {
    if (!took_part(run.state.validators.get(seat.member), blocks)) continue;
    const shannons part{share_of(amount.value, seat.power, total_power)};
    reward_validator(run, of(pot::unissued), seat.member, part);
    left.value -= part.value;
    auto& e = run.note(event_kind::validator_paid);
    e.account = seat.member;
    e.amount = part;
  }
  run.state.must_move(of(pot::unissued), of(pot::next_budget), left);
}

void seat_next_committee(block_run& run) {
  std::vector<power_share> largest;
  const auto everyone = run.state.validators.keys_where([](const validator_row&) { return true; });
  for (const auto& who : everyone) {
    const auto& row = run.state.validators.get(who);
    if (row.pool.stake >= run.parameters.min_validator_stake)
      largest.push_back({who, row.pool.stake, 0});
  }
  std::stable_sort(largest.begin(), largest.end(),
                   [](const auto& a, const auto& b) { return a.stake > b.stake; });
  if (largest.size() > max_committee) largest.resize(max_committee);
  assign_power(largest);
  const bool somebody =
      std::any_of(largest.begin(), largest.end(), [](const auto& m) { return m.power > 0; });
  for (const auto& who : everyone) {
    const auto seat =
        std::lower_bound(largest.begin(), largest.end(), who,
                         [](const auto& m, const address& a) { return m.member < a; });
    const bool seated = seat != largest.end() && seat->member == who;
    run.state.validators.update(who, [&](validator_row& v) {
      if (somebody) v.power = seated ? seat->power : 0;
      v.blocks_signed = v.audits_due = v.audits_cast = 0;
    });
  }
  run.state.forget_committee();
}

}  // namespace soma::rules
