#include "tests/actors/rules/worlds/invariants.hpp"

#include <algorithm>

#include "actors/ledger/ledger.hpp"
#include "actors/rules/difficulty.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

using wide = unsigned __int128;

bool fits(shannons amount) {
  return amount <= supply_cap;
}

shannons unbonding_of(const stake_row& row) {
  shannons all;
  for (const auto& part : row.unbonding) {
    must(fits(part.amount), "no amount is above the cap");
    all.value += part.amount.value;
  }
  return all;
}

/// What slashes have taken of the amounts that others than the owner have withdrawn.
shannons slashed_of(const stake_pool& pool) {
  shannons all;
  for (const auto& batch : pool.unbonding) {
    must(batch.kept <= batch.amount && batch.amount.value > 0, "a slash only takes");
    all.value += batch.amount.value - batch.kept.value;
  }
  return all;
}

bool is_filled(target_status s) {
  return s == target_status::filled || s == target_status::revealed;
}
bool is_live(target_status s) {
  return s == target_status::open || is_filled(s);
}

/// The cost of a transaction for its sender, apart from what it moves: the nonces and fees of a
/// block.
void check_outcomes(const rules::block_input& block, const rules::effects& done,
                    const mirror& rows) {
  must(block.transactions.size() == done.outcomes.size(), "each transaction has an outcome");
  std::map<address, std::uint64_t> used;
  std::uint64_t fees = 0;
  for (std::size_t i = 0; i < done.outcomes.size(); ++i) {
    const auto& outcome = done.outcomes[i];
    must(outcome.id == block.transactions[i].id, "outcomes come in the order of transactions");
    fees += outcome.fee.value;
    const bool at_the_door = outcome.reason && static_cast<std::uint16_t>(*outcome.reason) < 20;
    if (at_the_door) {
      must(outcome.fee.value == 0, "the door takes no fee");
    } else {
      ++used[crypto::address_of(block.transactions[i].body->sender)];
    }
  }
  must(rows.chain.burned.value >= rows.chain_before.burned.value + fees, "all fees are burned");
  for (const auto& change : rows.accounts.changed) {
    must(change.after != nullptr, "no account disappears");
    const auto before = change.before ? change.before->nonce : 0;
    const auto times = used.find(change.key);
    must(change.after->nonce == before + (times != used.end() ? times->second : 0),
         "a nonce counts what was executed");
    if (times != used.end()) used.erase(times);
  }
  must(used.empty(), "whoever sends uses a nonce");
}

/// Rows that are never removed, and counters that never go back.
void check_lasting(const rules::block_input& block, const mirror& rows) {
  const auto is_revealed = [&](const target_id& target) {
    return rows.submissions.find(target)->revealed_at.has_value();
  };
  for (const auto& change : rows.used_data.changed) {
    must(change.after != nullptr, "data that was used stays used");
    must(!change.before ||
             (is_revealed(change.before->target) && !is_revealed(change.after->target)),
         "one claim is given up for data that was used, and not a second");
  }
  for (const auto& change : rows.known_weights.changed)
    must(change.after != nullptr && !change.before, "weights belong to their first owner for good");
  for (const auto& change : rows.consensus_keys.changed)
    must(change.after != nullptr &&
             (!change.before || change.before->validator == change.after->validator),
         "a consensus key belongs to one for good");
  for (const auto& change : rows.evidence.changed)
    must(change.after != nullptr && !change.before, "evidence is kept and not altered");
  for (const auto& change : rows.validators.changed)
    must(change.after != nullptr, "no validator disappears");
  const auto& now = rows.chain;
  const auto& before = rows.chain_before;
  must(now.height == before.height.next() && now.height == block.height, "heights count");
  must(now.time_ms == block.time_ms && now.time_ms > before.time_ms, "time goes on");
  must(now.burned >= before.burned, "what is burned stays burned");
  must(now.registry_version >= before.registry_version &&
           now.versions_activated >= before.versions_activated,
       "counters count up");
  must(now.epoch == before.epoch || now.epoch == before.epoch.next(), "epochs count");
}

std::uint64_t amounts_of(const rules::effects& done, event_kind kind) {
  std::uint64_t sum = 0;
  for (const auto& e : done.events) sum += e.kind == kind ? e.amount.value : 0;
  return sum;
}

/// The rewards of targets that have ended in the block without being settled.
std::uint64_t rewards_returned(const mirror& rows) {
  std::uint64_t sum = 0;
  for (const auto& c : rows.targets.changed) {
    const bool ends = (!c.before || is_live(c.before->status)) && !is_live(c.after->status);
    if (ends && c.after->status != target_status::settled) sum += c.after->reward.value;
  }
  return sum;
}

}  // namespace

void money_watch::add_changes(const mirror& rows) {
  for (const auto& c : rows.accounts.changed) {
    if (c.before) balances_ -= c.before->balance.value;
    must(fits(c.after->balance), "no amount is above the cap");
    balances_ += c.after->balance.value;
  }
  const auto pools = [&](const auto& changed) {
    for (const auto& c : changed) {
      if (c.before) staked_ -= c.before->pool.stake.value;
      if (c.before) unbonding_ += slashed_of(c.before->pool).value;
      unbonding_ -= slashed_of(c.after->pool).value;
      must(c.after != nullptr && fits(c.after->pool.stake), "no amount is above the cap");
      staked_ += c.after->pool.stake.value;
    }
  };
  pools(rows.validators.changed);
  pools(rows.models.changed);
  for (const auto& c : rows.stakes.changed) {
    if (c.before) {
      joining_ -= c.before->joining.value;
      unbonding_ -= unbonding_of(*c.before).value;
    }
    if (c.after == nullptr) continue;
    must(fits(c.after->joining), "no amount is above the cap");
    joining_ += c.after->joining.value;
    unbonding_ += unbonding_of(*c.after).value;
  }
  for (const auto& c : rows.targets.changed) {
    must(c.after != nullptr && fits(c.after->reward), "no amount is above the cap");
    if (c.before && is_live(c.before->status)) set_aside_ -= c.before->reward.value;
    if (is_live(c.after->status)) set_aside_ += c.after->reward.value;
    const auto* s = rows.submissions.find(c.key);
    if (c.before && is_filled(c.before->status)) bonds_ -= s->bond.value;
    if (is_filled(c.after->status)) bonds_ += s->bond.value;
  }
}

void money_watch::take(const mirror& rows) {
  add_changes(rows);
  const auto& c = rows.chain;
  must(balances_ == c.balances.value, "balances add up");
  must(staked_ == c.staked.value, "stakes add up");
  must(joining_ == c.joining.value, "deposits that wait add up");
  must(unbonding_ == c.unbonding.value, "withdrawals add up");
  must(bonds_ == c.bonds.value, "bonds add up");
  must(set_aside_ == c.set_aside.value, "rewards set aside add up");
  must(ledger::total_of(c) == supply_cap, "all pots together are the cap");
}

void schedule_watch::check(const mirror& rows) const {
  const bool epoch_ended = rows.chain.epoch != rows.chain_before.epoch;
  const auto look = [&](const auto& changed) {
    for (const auto& c : changed) {
      must(c.after->next_commission_bps <= c.after->commission_bps + p_.max_commission_step_bps,
           "a commission rises by a step at most");
      if (!c.before || c.before->commission_bps == c.after->commission_bps) continue;
      must(epoch_ended, "a commission changes between epochs");
      must(c.after->commission_bps <= c.before->commission_bps + p_.max_commission_step_bps,
           "a commission rises by a step an epoch at most");
    }
  };
  look(rows.validators.changed);
  look(rows.models.changed);
  for (const auto& c : rows.submissions.changed) {
    const bool known = c.before && c.before->revealed_at;
    if (c.after->revealed_at && !known) {
      const bool is_near =
          rows.chain.height.value - c.after->claimed_at.value <= p_.reveal_window_blocks;
      const bool is_soon = 24 * (rows.chain.time_ms - c.after->claimed_ms) <= p_.epoch_ms;
      must(rows.chain_before.epoch <= c.after->claimed_in.next() && (is_near || is_soon),
           "data is revealed within its window");
      must(c.after->revealed_ms == rows.chain.time_ms, "a reveal has the time of its block");
    }
    if (c.before) continue;
    const auto reward = rows.targets.find(c.key)->reward.value;
    must(c.after->bond.value ==
             std::max(reward / p_.bond_reward_divisor, p_.bond_per_byte * c.after->size_bytes),
         "a bond is a part of the reward, or a price for the size");
  }
}

std::uint64_t pot_watch::slices() const {
  return std::clamp<std::uint64_t>(p_.hits_wanted / 16, 1, 24);
}

shannons pot_watch::for_targets(shannons emission) const {
  return {static_cast<std::uint64_t>(wide{emission.value} * p_.target_share_bps / 10'000)};
}

void pot_watch::check(const rules::effects& done, const mirror& rows) const {
  check_flows(done, rows);
  check_emission(done, rows);
  check_targets(done, rows);
  check_slices(done, rows);
}

/// The diagram of protocol §3.7, arrow by arrow.
void pot_watch::check_flows(const rules::effects& done, const mirror& rows) const {
  const auto& before = rows.chain_before;
  const auto& now = rows.chain;
  const auto emission = before.epoch_emission;
  const auto flow = done.epoch_closed ? for_targets(emission).value - before.flowed.value
                                      : now.flowed.value - before.flowed.value;
  const auto validators =
      done.epoch_closed ? emission.value - for_targets(emission).value : std::uint64_t{0};
  std::uint64_t unclaimed = 0;
  for (const auto& e : done.events)
    unclaimed += e.kind == event_kind::emission_released ? e.detail : 0;
  unclaimed -= amounts_of(done, event_kind::validator_paid);
  const auto back = amounts_of(done, event_kind::emission_returned);
  const auto opened = amounts_of(done, event_kind::target_opened);
  const auto settled = amounts_of(done, event_kind::target_settled);
  const auto returned = rewards_returned(rows);
  must(before.unissued.value + back == now.unissued.value + flow + validators,
       "money is issued by the flow and to validators, and comes back from the pot alone");
  must(
      before.target_pot.value + flow + returned + unclaimed == now.target_pot.value + opened + back,
      "the pot has no other ways in and out");
  must(before.set_aside.value + opened == now.set_aside.value + settled + returned,
       "what is set aside is paid or comes back");
}

void pot_watch::check_emission(const rules::effects& done, const mirror& rows) const {
  const auto& before = rows.chain_before;
  const auto& now = rows.chain;
  if (!done.epoch_closed) {
    must(now.epoch_emission == before.epoch_emission, "an epoch's emission is set when it begins");
    const auto elapsed = std::min(now.time_ms - now.epoch_start_ms, p_.epoch_ms);
    must(now.flowed.value == wide{for_targets(now.epoch_emission).value} * elapsed / p_.epoch_ms,
         "emission flows with time");
    return;
  }
  const auto left = now.epoch.value < p_.emission_epochs ? p_.emission_epochs - now.epoch.value : 1;
  must(now.epoch_emission.value == now.unissued.value / left,
       "an epoch emits its part of what is not issued");
  must(now.flowed.value == 0, "nothing of a new epoch has flowed");
  must(now.target_pot.value + amounts_of(done, event_kind::target_opened) <=
           before.epoch_emission.value,
       "the pot keeps what one epoch emits at most");
}

shannons pot_watch::least_reward(const chain_row& chain) const {
  const auto parts = std::max<std::uint64_t>(p_.hits_wanted / slices(), 2 * p_.initial_targets);
  return {std::max<std::uint64_t>(
      1'000, for_targets(chain.epoch_emission).value / (8 * slices() * parts))};
}

void pot_watch::check_targets(const rules::effects& done, const mirror& rows) const {
  std::uint64_t opened = 0, filled = 0;
  for (const auto& e : done.events) {
    if (e.kind == event_kind::target_filled) ++filled;
    if (e.kind != event_kind::target_opened) continue;
    must(e.amount >= least_reward(rows.chain), "no target is worth less than the least");
    must(e.target == signing::target_id_of(rows.chain.entropy, opened++),
         "a target is the draw of its block's entropy");
  }
  if (rows.chain.claims_standing >=
      2 * std::max<std::uint64_t>(p_.hits_wanted / slices(), 2 * p_.initial_targets)) {
    return;  // no target opens then
  }
  // What this block has filled is replaced by the next one.
  if (rows.chain.targets_waiting <= (done.epoch_closed ? 0 : filled)) return;
  const auto parts = std::max<std::uint64_t>(p_.hits_wanted / slices(), 2 * p_.initial_targets);
  const bool any_model = std::ranges::any_of(rows.models.rows, [](const auto& model) {
    return model.second.status == model_status::active;
  });
  must(!any_model || shannons{rows.chain.target_pot.value / parts} < least_reward(rows.chain),
       "a target waits for a model or for the pot");
}

/// Protocol §7.9 and §7.10.
void pot_watch::check_slices(const rules::effects& done, const mirror& rows) const {
  const auto& before = rows.chain_before;
  const auto& now = rows.chain;
  std::uint64_t settled = 0;
  for (const auto& e : done.events) settled += e.kind == event_kind::target_settled ? 1 : 0;
  must(now.hits == (done.epoch_closed ? 0 : before.hits + settled), "settled targets are hits");
  const auto elapsed = std::min(now.time_ms - now.epoch_start_ms, p_.epoch_ms);
  must(now.slices_done == (done.epoch_closed ? 0 : wide{slices()} * elapsed / p_.epoch_ms),
       "slices end with their time");
  const bool step = done.epoch_closed || now.slices_done != before.slices_done;
  must(now.slice_hits == (step ? 0 : before.slice_hits + settled), "a slice counts its hits");
  must(step || now.difficulty_ppm == before.difficulty_ppm, "the difficulty moves with a slice");
  // A genesis may begin beyond the bounds.
  const auto held = rules::next_difficulty(before.difficulty_ppm, 0, p_.architecture.dim);
  const auto moved = step ? now.difficulty_ppm - held : 0;
  must(moved >= -300'000 && moved <= 300'000, "the difficulty moves by its steps");
  must(now.congestion_ppm >= 1'000'000 && now.congestion_ppm <= before.congestion_ppm / 8 * 9 + 9 &&
           (now.congestion_ppm == 1'000'000 || now.congestion_ppm >= before.congestion_ppm / 8 * 7),
       "congestion moves by an eighth at most, and is never under one");
}

void invariants::begin(const mirror& rows) {
  powers_.next(rows);
  money_.take(rows);
  lists_.take(rows);
  pools_.begin(rows);
  committee_.begin(rows);
  samples_.begin(rows);
  check_all(rows);
}

void invariants::check(const rules::block_input& block, const rules::effects& done,
                       const mirror& rows) {
  powers_.next(rows);
  money_.take(rows);
  lists_.take(rows);
  check_outcomes(block, done, rows);
  check_lasting(block, rows);
  pools_.check(done, rows);
  committee_.check(block, done, rows);
  samples_.check(done, rows);
  agenda_.check(rows);
  schedule_.check(rows);
  pot_.check(done, rows);
  targets_.check(done, rows, powers_);
  models_.check(done, rows, powers_);
}

std::set<life_step> invariants::steps() const {
  auto all = targets_.steps().all();
  all.insert(models_.steps().all().begin(), models_.steps().all().end());
  return all;
}

void deciding_powers::next(const mirror& rows) {
  now_ = std::move(coming_);
  coming_.clear();
  for (const auto& seat : rows.committee().seats) coming_[seat.member] = seat.power.value;
  if (rows.chain.epoch == rows.chain_before.epoch) now_ = coming_;
}

void invariants::check_all(const mirror& rows) const {
  const auto standing = std::ranges::count_if(rows.targets.rows, [](const auto& target) {
    return target.second.status == target_status::filled;
  });
  must(rows.chain.claims_standing == static_cast<std::uint64_t>(standing),
       "the claims that stand are those without a reveal");
  pools_.check_all(rows);
  agenda_.check_all(rows);
}

}  // namespace soma::test
