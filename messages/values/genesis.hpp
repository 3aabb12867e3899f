// The genesis of a network. Every number of the protocol that may differ between networks is a
// field here: protocol §12.3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/values/amounts.hpp"
#include "messages/values/architecture.hpp"
#include "messages/values/ids.hpp"

namespace soma::inline values {

struct genesis_parameters {
  model_architecture architecture;
  std::uint64_t epoch_ms = 86'400'000;
  std::uint64_t emission_epochs = 3'650;   // N: the number of epochs in ten years
  std::uint32_t target_share_bps = 8'000;  // of emission; the rest is the validators'

  std::uint64_t base_fee = 1'000;    // shannons at multiplier 10^6
  std::uint64_t row_fee = 300;       // for each row that is written
  std::uint32_t row_byte_fee = 1;    // for each byte of a row that was not there before
  std::uint32_t value_fee_bps = 10;  // of transfers and stakes
  std::uint64_t fee_multiplier_start_ppm = 1'000'000;
  std::uint64_t fee_multiplier_min_ppm = 10'000;
  std::uint64_t fee_multiplier_max_ppm = 100'000'000;
  std::uint32_t burn_bps_per_year = 500;

  shannons min_model_stake{shannons_per_soma};
  shannons min_validator_stake{1'000 * shannons_per_soma};
  std::uint32_t max_commission_step_bps = 500;
  std::uint32_t missed_reveal_slash_bps = 5'000;
  std::uint32_t bad_model_slash_bps = 9'500;
  std::uint32_t equivocation_slash_bps = 500;
  std::uint32_t committee_size = 100;            // at most max_committee
  voting_power max_power = total_power;          // of one member; total_power means no cap
  std::uint32_t model_unbonding_epochs = 1;      // from leaving a pool to the payout: 1 to 3
  std::uint32_t validator_unbonding_epochs = 2;  // 1 to 3; evidence is valid for as long

  std::uint32_t models_per_target = 3;
  std::uint32_t initial_targets = 100;
  std::uint64_t hits_wanted = 86'400;
  std::int64_t stake_bonus_ppm = 500'000;
  std::int64_t difficulty_start_ppm = -2'000'000;  // z, in millionths; higher is harder

  std::uint64_t max_data_bytes = 1'048'576;
  /// What the models of a target may cost to score in one audit, in multiplications. With the
  /// architecture it may allow fewer bytes than max_data_bytes: protocol §8.1.1.
  std::uint64_t max_audit_products = 4'000'000'000'000'000;
  std::uint64_t bond_per_byte = 65;
  std::uint64_t bond_reward_divisor = 1;
  std::uint64_t reveal_window_blocks = 200;
  std::uint32_t max_audit_extensions = 3;  // epochs by which an undecided audit may be put off

  std::uint32_t byte_fee = 5;  // for each byte of a transaction, as a part of the base fee

  friend bool operator==(const genesis_parameters&, const genesis_parameters&) = default;
};

struct genesis_account {
  address owner;
  shannons balance;
  friend bool operator==(const genesis_account&, const genesis_account&) = default;
};

struct genesis_validator {
  public_key consensus_key{};  // its address is H("soma.address", key)
  shannons stake;
  friend bool operator==(const genesis_validator&, const genesis_validator&) = default;
};

/// At most 4,096 accounts and 100 validators. The sum of all amounts is at most the supply cap;
/// what is left of the cap will be emitted.
struct genesis {
  std::string name;            // 1..64 bytes of printable ASCII
  std::uint64_t start_ms = 0;  // Unix time of epoch 0
  genesis_parameters parameters;
  std::vector<genesis_account> accounts;
  std::vector<genesis_validator> validators;
  friend bool operator==(const genesis&, const genesis&) = default;
};

inline constexpr std::size_t max_genesis_accounts = 4'096;
inline constexpr std::size_t max_committee = 100;
inline constexpr std::uint32_t max_unbonding_epochs = 3;

}  // namespace soma::inline values
