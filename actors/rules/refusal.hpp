// Why a transaction changes nothing. Numbers are written into blocks' events and never reused.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace soma::rules {

enum class refusal : std::uint16_t {
  // At the door: nothing is charged, because the sender did not ask for this execution of these
  // bytes.
  wrong_chain = 1,
  nonce_too_low = 2,
  nonce_too_high = 3,
  expired = 4,
  too_large = 5,
  account_unknown = 6,
  base_fee_unaffordable = 7,
  malformed = 8,
  bad_signature = 9,
  // Anywhere.
  kind_not_enabled = 20,
  arithmetic_overflow = 21,
  balance_too_low = 22,
  fee_unaffordable = 23,
  amount_is_zero = 24,
  // Models, protocol §6, in the order of the checks.
  model_unknown = 40,
  not_model_owner = 41,
  model_inactive = 42,
  model_retiring = 43,
  version_pending = 44,
  manifest_invalid = 45,
  stake_below_minimum = 46,
  commission_out_of_range = 47,
  commission_step_too_large = 48,
  nothing_to_reveal = 49,
  reveal_too_early = 50,
  reveal_too_late = 51,
  commitment_mismatch = 52,
  embedding_wrong_dimension = 53,
  embedding_not_finite = 54,
  embedding_norm_zero = 55,
  voter_not_in_committee = 56,
  version_unknown = 57,
  version_not_on_trial = 58,
  already_voted = 59,
  votes_full = 60,
  // Claims, protocol §8.1, in the order of the checks.
  target_unknown = 80,
  target_not_open = 81,
  target_of_other_epoch = 82,
  model_not_assigned = 83,
  loss_invalid = 84,
  distance_out_of_range = 85,
  outside_radius = 86,
  size_out_of_range = 87,
  bond_unaffordable = 88,
  // Reveals, protocol §8.2, in the order of the checks.
  target_not_awaiting_reveal = 100,
  not_the_submitter = 101,
  reveal_window_over = 102,
  data_commitment_mismatch = 103,
  data_already_used = 104,
  // Audit votes, protocol §8.3.
  submission_not_revealed = 120,
  audit_too_old = 121,
};

/// One sentence for the sender.
[[nodiscard]] std::string_view to_text(refusal reason);

/// What a rule answers: nothing when it was applied, the reason when it was not.
using refused = std::optional<refusal>;

}  // namespace soma::rules
