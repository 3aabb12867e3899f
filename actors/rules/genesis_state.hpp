// The first rows of a network, and what a genesis must fulfil before a network is made of it.
#pragma once

#include <string_view>

#include "actors/rules/refusal.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/genesis.hpp"
#include "messages/values/rows.hpp"

namespace soma::rules {

enum class genesis_refusal : std::uint8_t {
  bad_name,
  bad_architecture,
  bad_epoch_length,
  bad_shares,
  bad_fees,
  bad_targets,
  bad_bonds,
  bad_staking,
  too_many_accounts,
  double_account,
  no_validator,
  too_many_validators,
  double_validator,
  bad_validator_key,
  validator_stake_too_low,
  above_supply_cap
};
[[nodiscard]] std::string_view to_text(genesis_refusal reason);
/// Checks the name, every parameter and every allocation of a genesis. Protocol §12.1.
[[nodiscard]] std::optional<genesis_refusal> check_genesis(const genesis& genesis);

/// The first rows: the chain row, accounts, validators with their power, sorted by key. Every
/// validator has an account, so that it can send transactions. The genesis must have passed
/// check_genesis. Protocol §12.2.
[[nodiscard]] std::vector<row_change> genesis_rows(const genesis& genesis);

}  // namespace soma::rules
