#include "actors/rules/committee.hpp"

#include <algorithm>
#include <set>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/audit.hpp"
#include "actors/rules/pools.hpp"
#include "actors/rules/staking.hpp"
#include "messages/signing/signing.hpp"

namespace soma::rules {
namespace {

committee_seat* seat_of(committee_row& committee, const address& who) {
  auto& seats = committee.seats;
  const auto seat = std::lower_bound(seats.begin(), seats.end(), who,
                                     [](const auto& s, const address& a) { return s.member < a; });
  return seat != seats.end() && seat->member == who ? &*seat : nullptr;
}

/// What the sender will own once its deposits have become shares and its withdrawals have been
/// made.
shannons own_with(const block_run& run, const address& who, const validator_row* row,
                  shannons deposit) {
  if (row == nullptr) return deposit;
  const auto* position = run.state.stakes.find({pool_owner{who}, who});
  if (position == nullptr) return add(own_stake(row->pool), deposit).value_or(supply_cap);
  const auto staying =
      row->pool.owner_shares - std::min(row->pool.owner_shares, position->leaving_shares);
  const auto own = worth_of(row->pool, staying).value;
  return add({own + position->joining.value}, deposit).value_or(supply_cap);
}

refused check_join(const block_run& run, const chain_id& chain, const address& sender,
                   const tx::join_committee& what) {
  if (!crypto::is_acceptable(what.consensus_key)) return refusal::consensus_key_invalid;
  if (!signing::verify_possession(what.consensus_key, chain, sender, what.proof_of_possession)) {
    return refusal::proof_of_possession_invalid;
  }
  const auto* holder = run.state.consensus_keys.find(what.consensus_key);
  if (holder != nullptr && holder->validator != sender) return refusal::consensus_key_taken;
  const auto* row = run.state.validators.find(sender);
  if (row != nullptr && row->wants_seat && row->consensus_key == what.consensus_key) {
    return refusal::already_joined;
  }
  if (row != nullptr && run.epoch() < row->rejoin_from) return refusal::rejoin_too_early;
  if (own_with(run, sender, row, what.stake) < run.parameters.min_validator_stake ||
      (row == nullptr && what.stake.value == 0)) {
    return refusal::stake_below_minimum;
  }
  return std::nullopt;
}

/// The validators that may sit, with their powers; in order of address.
std::vector<power_share> largest_owners(const block_run& run) {
  const auto& p = run.parameters;
  std::vector<power_share> largest;
  const auto prefix = table_prefix(ledger_table::validator);
  for (const auto& who : run.state.validators.keys_where(prefix, [&](const validator_row& v) {
         return v.wants_seat && counted_stake(v.pool).value > 0 &&
                own_stake(v.pool) >= p.min_validator_stake;
       })) {
    largest.push_back({who, counted_stake(run.state.validators.get(who).pool), {}});
  }
  std::stable_sort(largest.begin(), largest.end(),
                   [](const auto& a, const auto& b) { return a.stake > b.stake; });
  if (largest.size() > p.committee_size) largest.resize(p.committee_size);
  assign_power(largest, p.max_power);
  std::erase_if(largest, [](const auto& m) { return m.power.value == 0; });
  return largest;
}

/// Seats are remembered for each key, so that a key that its owner has replaced proves nothing of
/// the epochs after that.
void mark_seated(block_run& run, const public_key& key, epoch_number next) {
  run.state.consensus_keys.update(key, [&](consensus_key_row& k) {
    SOMA_ASSERT(next > k.last_seat, "a seat in the next epoch is a later one");
    const auto passed = next.value - k.last_seat.value;
    k.seat_history = (passed < 64 ? k.seat_history << passed : 0) | 1;
    k.last_seat = next;
  });
}

void note_seats(block_run& run, const committee_row& before, const committee_row& after) {
  for (const auto& seat : after.seats) {
    auto& e = run.note(event_kind::validator_seated);
    e.account = seat.member;
    e.detail = seat.power.value;
  }
  std::set<address> seated;
  for (const auto& seat : after.seats) seated.insert(seat.member);
  for (const auto& seat : before.seats) {
    if (!seated.contains(seat.member))
      run.note(event_kind::validator_unseated).account = seat.member;
  }
}

}  // namespace

refused join_committee(block_run& run, const chain_id& chain, const address& sender,
                       const tx::join_committee& what) {
  if (const auto no = check_join(run, chain, sender, what)) return no;
  const pool_owner pool{sender};
  const bool first = run.state.validators.find(sender) == nullptr;
  if (first) run.state.validators.put(sender, {});
  run.state.validators.update(sender, [&](validator_row& v) {
    v.consensus_key = what.consensus_key;
    v.wants_seat = true;
  });
  // A pool without any holder is founded again.
  const bool empty = run.state.pool(pool)->shares == 0 && what.stake.value > 0;
  if (const auto no = empty ? found_pool(run, pool, sender, what.stake)
                            : lock_deposit(run, pool, sender, what.stake)) {
    return no;
  }
  if (run.state.consensus_keys.find(what.consensus_key) == nullptr) {
    run.state.consensus_keys.put(what.consensus_key, {sender});
  }
  auto& e = run.note(event_kind::validator_joined);
  e.account = sender;
  e.amount = what.stake;
  return std::nullopt;
}

refused leave_committee(block_run& run, const address& sender) {
  const auto* row = run.state.validators.find(sender);
  if (row == nullptr) return refusal::not_a_validator;
  if (!row->wants_seat) return refusal::already_leaving;
  run.state.validators.update(sender, [](validator_row& v) { v.wants_seat = false; });
  run.note(event_kind::validator_leaving).account = sender;
  return std::nullopt;
}

void count_signatures(block_run& run, std::span<const address> signers) {
  run.state.committees.update({}, [&](committee_row& committee) {
    for (const auto& who : std::set<address>(signers.begin(), signers.end())) {
      if (auto* seat = seat_of(committee, who)) ++seat->blocks_signed;
    }
  });
}

void count_audit(block_run& run, const submission_row& decided, bool is_owed) {
  const auto draws = decided.sampled ? draws_by_seat(decided, run.state.committee())
                                     : std::vector<std::uint32_t>{};
  run.state.committees.update({}, [&](committee_row& committee) {
    for (std::size_t i = 0; i < committee.seats.size(); ++i) {
      const bool was_called = !decided.sampled || draws[i] > 0;
      if (is_owed && was_called) ++committee.seats[i].audits_due;
    }
    for (const auto& vote : decided.votes) {
      if (auto* seat = seat_of(committee, vote.voter)) ++seat->audits_cast;
    }
  });
}

void count_late_vote(block_run& run, const address& member) {
  run.state.committees.update({}, [&](committee_row& committee) {
    if (auto* seat = seat_of(committee, member)) ++seat->audits_cast;
  });
}

bool had_seat(const consensus_key_row& k, epoch_number epoch) {
  if (epoch > k.last_seat || k.last_seat.value - epoch.value >= 64) return false;
  return (k.seat_history >> (k.last_seat.value - epoch.value) & 1) != 0;
}

bool took_part(const committee_seat& seat, std::uint64_t signed_blocks) {
  const bool signed_half = seat.blocks_signed >= (signed_blocks + 1) / 2;
  const bool audited_half = seat.audits_cast >= (seat.audits_due + 1) / 2;
  return signed_half && audited_half;
}

void reward_validators(block_run& run) {
  const shannons amount = run.state.chain().validator_pay;
  SOMA_ASSERT(run.height >= run.state.chain().epoch_first_block, "an epoch has a first block");
  const std::uint64_t blocks = run.height.value - run.state.chain().epoch_first_block.value;
  const committee_row committee = run.state.committee();
  shannons left = amount;
  for (const auto& seat : committee.seats) {
    const shannons part{share_of(amount.value, seat.power.value, total_power.value)};
    const bool present = took_part(seat, blocks);
    auto& e = run.note(present ? event_kind::validator_paid : event_kind::validator_absent);
    e.account = seat.member;
    e.amount = part;
    e.detail = seat.blocks_signed << 32 | (seat.audits_cast & 0xffff'ffff);
    e.audits_due = seat.audits_due;
    if (!present) continue;
    SOMA_ASSERT(part <= left, "parts by power are together no more than the whole");
    reward_pool(run, of(pot::validator_pay), pool_owner{seat.member}, part);
    left.value -= part.value;
  }
  run.state.must_move(of(pot::validator_pay), of(pot::targets), left);
}

void seat_next_committee(block_run& run) {
  const auto before = run.state.committee();
  const auto largest = largest_owners(run);
  committee_row after;
  for (const auto& m : largest) {
    after.seats.push_back(
        {m.member, run.state.validators.get(m.member).consensus_key, m.power, 0, 0});
  }
  if (after.seats.empty()) {
    after = before;
    for (auto& seat : after.seats) seat.blocks_signed = seat.audits_cast = seat.audits_due = 0;
  }
  SOMA_ASSERT(!after.seats.empty(), "a network never loses its last member");
  for (const auto& seat : after.seats) mark_seated(run, seat.consensus_key, run.epoch().next());
  note_seats(run, before, after);
  run.state.committees.put({}, std::move(after));
}

}  // namespace soma::rules
