// Values generated from a seed, for round trips and for tests that damage them.
#pragma once

#include <bit>
#include <string>
#include <vector>

#include "messages/crypto/random.hpp"
#include "messages/values/blocks.hpp"
#include "messages/values/genesis.hpp"
#include "messages/values/rows.hpp"
#include "messages/values/transactions.hpp"

namespace soma::test {

[[nodiscard]] inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count; ++seed) all.push_back(seed);
  return all;
}

class sampler {
 public:
  explicit sampler(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool coin() { return below(2) == 1; }
  /// Zero, the largest value, or any value: the edges come up often.
  template <class Integer>
  void fill(Integer& value) {
    const auto any = static_cast<Integer>(random_.next_u64());
    const Integer choices[] = {0, static_cast<Integer>(-1), 1, any, any, any};
    value = choices[below(6)];
  }
  void fill(bool& value) { value = coin(); }
  template <std::size_t N>
  void fill(std::array<std::uint8_t, N>& value) {
    if (below(8) != 0) random_.fill(value);
  }
  template <class Tag>
  void fill(id32<Tag>& value) {
    fill(value.value);
  }
  template <class Tag>
  void fill(counter<Tag>& value) {
    fill(value.value);
  }
  void fill(shannons& value) { fill(value.value); }
  void fill(seat_index& value) { fill(value.value); }
  void fill(voting_power& value) { fill(value.value); }
  bytes some_bytes(std::size_t max_size) {
    bytes made(below(max_size + 1));
    random_.fill(made);
    return made;
  }
  /// Often no signers, sometimes all of them.
  signer_set signers(std::uint16_t below_seat) {
    signer_set made;
    const auto kind = below(4);
    for (std::uint16_t i = 0; kind != 0 && i < below_seat; ++i) {
      if (kind == 1 || coin()) made.add({i});
    }
    return made;
  }
  std::vector<float> floats(std::size_t max_size) {
    std::vector<float> made(below(max_size + 1));
    for (auto& value : made)
      value = std::bit_cast<float>(static_cast<std::uint32_t>(below(0x7f800000)));
    return made;
  }
  template <class... Fields>
  void all(Fields&... fields) {
    (fill(fields), ...);
  }

  void fill(model_version_ref& v) { all(v.model, v.version); }
  void fill(weights_manifest& v) { all(v.size_bytes, v.chunk_bytes, v.root, v.iv); }
  void fill(stake_pool& v) {
    all(v.stake, v.shares, v.owner_shares);
    v.unbonding.resize(below(5));
    for (auto& batch : v.unbonding) all(batch.payable_in, batch.amount, batch.kept);
  }
  template <class Verdict>
  std::vector<cast_vote<Verdict>> votes(std::uint64_t verdicts) {
    std::vector<cast_vote<Verdict>> made(below(4));
    for (auto& vote : made) {
      all(vote.voter, vote.power);
      vote.verdict = static_cast<Verdict>(below(verdicts));
    }
    return made;
  }
  pool_owner owner() {
    if (coin()) return random_.next_id<address>();
    return random_.next_id<model_id>();
  }

 private:
  crypto::seeded_random random_;
};

inline constexpr std::size_t transaction_kinds = std::variant_size_v<transaction_kind>;

inline transaction_kind sample_kind(sampler& s, std::size_t index) {
  switch (index) {
    case 0: {
      tx::transfer k;
      s.all(k.to, k.amount);
      return k;
    }
    case 1: {
      tx::commit_model k;
      if (s.coin()) s.fill(k.model.emplace());
      s.all(k.commitment, k.manifest, k.stake, k.commission_bps);
      return k;
    }
    case 2: {
      tx::reveal_model k;
      s.all(k.model, k.weights, k.key, k.salt);
      k.embedding = s.floats(9);
      return k;
    }
    case 3: {
      tx::retire_model k;
      s.fill(k.model);
      return k;
    }
    case 4: {
      tx::vote_on_model k;
      s.fill(k.version);
      k.verdict = static_cast<model_verdict>(s.below(5));
      return k;
    }
    case 5: {
      tx::claim_target k;
      s.all(k.target, k.winner, k.loss_bits, k.distance_q30, k.size_bytes, k.commitment);
      return k;
    }
    case 6: {
      tx::reveal_data k;
      s.all(k.target, k.data, k.blob, k.salt);
      return k;
    }
    case 7: {
      tx::vote_on_submission k;
      s.fill(k.target);
      k.verdict = static_cast<audit_verdict>(s.below(6));
      return k;
    }
    case 8: {
      tx::add_stake k;
      k.pool = s.owner();
      s.fill(k.amount);
      return k;
    }
    case 9: {
      tx::withdraw_stake k;
      k.pool = s.owner();
      s.fill(k.shares);
      return k;
    }
    case 10: {
      tx::set_commission k;
      k.pool = s.owner();
      s.fill(k.commission_bps);
      return k;
    }
    case 11: {
      tx::join_committee k;
      s.all(k.consensus_key, k.proof_of_possession, k.stake);
      return k;
    }
    case 12:
      return tx::leave_committee{};
    case 13: {
      tx::commit_onion k;
      s.all(k.layer, k.number);
      return k;
    }
    default: {
      tx::report_equivocation k;
      s.all(k.signer, k.first_signature, k.second_signature);
      k.first_statement = s.some_bytes(40);
      k.second_statement = s.some_bytes(40);
      return k;
    }
  }
}

template <class X>
X sample(std::uint64_t seed);

template <>
inline transaction sample<transaction>(std::uint64_t seed) {
  sampler s(seed);
  transaction v;
  s.all(v.chain, v.sender, v.nonce, v.expiry);
  v.kind = sample_kind(s, seed % transaction_kinds);
  return v;
}
template <>
inline signed_transaction sample<signed_transaction>(std::uint64_t seed) {
  sampler s(seed);
  signed_transaction v;
  v.body = s.some_bytes(60);
  v.body.push_back(1);
  s.fill(v.by_sender);
  return v;
}
template <>
inline genesis sample<genesis>(std::uint64_t seed) {
  sampler s(seed);
  genesis v;
  v.name = "net " + std::to_string(seed);
  s.fill(v.start_ms);
  auto& p = v.parameters;
  p.architecture = {static_cast<std::uint32_t>(1 + s.below(max_layers)), 32, 4, 64, 128};
  s.all(p.epoch_ms, p.emission_epochs, p.target_share_bps, p.base_fee, p.row_fee, p.value_fee_bps,
        p.fee_multiplier_start_ppm, p.fee_multiplier_min_ppm, p.fee_multiplier_max_ppm,
        p.burn_bps_per_year, p.min_model_stake, p.min_validator_stake, p.max_commission_step_bps,
        p.missed_reveal_slash_bps, p.bad_model_slash_bps, p.initial_targets, p.hits_wanted,
        p.stake_bonus_ppm, p.difficulty_start_ppm, p.row_byte_fee, p.max_data_bytes,
        p.max_audit_products, p.bond_per_byte, p.bond_reward_divisor, p.reveal_window_blocks,
        p.max_audit_extensions, p.equivocation_slash_bps, p.committee_size,
        p.model_unbonding_epochs, p.validator_unbonding_epochs, p.max_power.value, p.byte_fee);
  v.accounts.resize(s.below(4));
  for (auto& account : v.accounts) {
    s.fill(account.owner);
    account.balance = {s.below(supply_cap.value / 16)};
  }
  v.validators.resize(s.below(4));
  for (auto& validator : v.validators) {
    s.fill(validator.consensus_key);
    validator.stake = {s.below(supply_cap.value / 16)};
  }
  return v;
}
template <>
inline block_header sample<block_header>(std::uint64_t seed) {
  sampler s(seed);
  block_header v;
  s.all(v.version, v.chain, v.epoch, v.view, v.height, v.parent_view, v.parent, v.payload_root,
        v.payload_bytes, v.transactions, v.state_root, v.time_ms, v.proposer, v.flags,
        v.next_committee, v.peel);
  return v;
}
template <>
inline block sample<block>(std::uint64_t seed) {
  sampler s(seed);
  block v;
  v.header = sample<block_header>(seed + 1'000'000);
  s.fill(v.by_proposer);
  for (std::uint64_t i = s.below(4); i > 0; --i) {
    v.payload.push_back(sample<signed_transaction>(seed * 10 + i));
  }
  v.parent_signers = s.signers(signer_set::capacity);
  return v;
}
template <>
inline event sample<event>(std::uint64_t seed) {
  sampler s(seed);
  event v;
  v.kind = static_cast<event_kind>(s.below(23));
  s.all(v.height, v.epoch, v.transaction, v.target, v.model, v.account, v.amount, v.refusal,
        v.other, v.detail, v.audits_due);
  return v;
}
template <>
inline chain_row sample<chain_row>(std::uint64_t seed) {
  sampler s(seed);
  chain_row v;
  s.all(v.height, v.last_block, v.time_ms, v.epoch, v.epoch_start_ms, v.epoch_first_block,
        v.registry_version, v.versions_activated, v.fee_multiplier_ppm, v.difficulty_ppm, v.hits,
        v.slice_hits, v.targets_waiting, v.target_pot, v.epoch_emission, v.flowed, v.balances,
        v.staked, v.bonds, v.set_aside, v.unissued, v.burned, v.burned_this_epoch, v.joining,
        v.unbonding, v.slices_done, v.congestion_ppm, v.validator_pay, v.entropy, v.leader_seed,
        v.next_leader_seed, v.claims_standing, v.active_models, v.open_targets);
  return v;
}
template <>
inline account_row sample<account_row>(std::uint64_t seed) {
  sampler s(seed);
  account_row v;
  s.all(v.balance, v.nonce);
  return v;
}
template <>
inline validator_row sample<validator_row>(std::uint64_t seed) {
  sampler s(seed);
  validator_row v;
  s.all(v.consensus_key, v.pool, v.commission_bps, v.next_commission_bps, v.wants_seat,
        v.rejoin_from);
  return v;
}
template <>
inline model_row sample<model_row>(std::uint64_t seed) {
  sampler s(seed);
  model_row v;
  v.status = static_cast<model_status>(s.below(3));
  s.all(v.owner, v.pool, v.commission_bps, v.next_commission_bps, v.active_version,
        v.latest_version, v.retiring);
  return v;
}
template <>
inline model_version_row sample<model_version_row>(std::uint64_t seed) {
  sampler s(seed);
  model_version_row v;
  v.status = static_cast<version_status>(s.below(6));
  s.all(v.committed_in, v.commitment, v.manifest, v.weights, v.key, v.activation_order);
  v.embedding = s.floats(9);
  v.votes = s.votes<model_verdict>(5);
  return v;
}
template <>
inline target_row sample<target_row>(std::uint64_t seed) {
  sampler s(seed);
  target_row v;
  s.all(v.epoch, v.opened_at, v.seed, v.radius_q30, v.reward);
  v.point = s.floats(9);
  v.assigned.resize(s.below(4));
  for (auto& ref : v.assigned) s.fill(ref);
  v.status = static_cast<target_status>(s.below(7));
  return v;
}
template <>
inline submission_row sample<submission_row>(std::uint64_t seed) {
  sampler s(seed);
  submission_row v;
  s.all(v.submitter, v.winner, v.loss_bits, v.distance_q30, v.size_bytes, v.commitment, v.bond,
        v.claimed_in, v.claimed_at, v.claimed_ms, v.revealed_ms, v.data, v.blob, v.audit_seed,
        v.extensions);
  v.sampled = s.coin();
  if (s.coin()) s.fill(v.revealed_at.emplace());
  v.votes = s.votes<audit_verdict>(6);
  return v;
}
template <>
inline known_weights_row sample<known_weights_row>(std::uint64_t seed) {
  sampler s(seed);
  known_weights_row v;
  s.fill(v.owner);
  return v;
}
template <>
inline used_data_row sample<used_data_row>(std::uint64_t seed) {
  sampler s(seed);
  used_data_row v;
  s.fill(v.target);
  return v;
}
template <>
inline committee_row sample<committee_row>(std::uint64_t seed) {
  sampler s(seed);
  committee_row v;
  v.seats.resize(s.below(5));
  for (auto& seat : v.seats)
    s.all(seat.member, seat.consensus_key, seat.power, seat.blocks_signed, seat.audits_cast,
          seat.audits_due);
  return v;
}
template <>
inline stake_row sample<stake_row>(std::uint64_t seed) {
  sampler s(seed);
  stake_row v;
  s.all(v.shares, v.joining, v.leaving_shares);
  v.unbonding.resize(s.below(5));
  for (auto& part : v.unbonding) s.all(part.amount, part.payable_in);
  return v;
}
template <>
inline agenda_row sample<agenda_row>(std::uint64_t seed) {
  sampler s(seed);
  agenda_row v;
  s.fill(v.height);
  return v;
}
template <>
inline consensus_key_row sample<consensus_key_row>(std::uint64_t seed) {
  sampler s(seed);
  consensus_key_row v;
  s.all(v.validator, v.last_seat, v.seat_history);
  return v;
}
template <>
inline evidence_row sample<evidence_row>(std::uint64_t seed) {
  sampler s(seed);
  evidence_row v;
  s.fill(v.height);
  return v;
}

template <>
inline onion_row sample<onion_row>(std::uint64_t seed) {
  sampler s(seed);
  onion_row v;
  s.all(v.layer, v.number, v.next_layer, v.next_number, v.next_from);
  return v;
}

template <>
inline list_row sample<list_row>(std::uint64_t seed) {
  sampler s(seed);
  list_row v;
  v.ids.resize(1 + s.below(list_page_ids));
  for (auto& id : v.ids) s.fill(id);
  return v;
}

template <>
inline vote_statement sample<vote_statement>(std::uint64_t seed) {
  sampler s(seed);
  vote_statement v;
  v.kind = static_cast<vote_kind>(1 + s.below(3));
  s.all(v.epoch, v.view, v.block);
  return v;
}

}  // namespace soma::test
