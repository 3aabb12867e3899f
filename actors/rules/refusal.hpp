// Why a transaction changes nothing. The numbers are written into blocks' events and never reused:
// protocol §1.11.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// clang-format off
/// name, number, one sentence for the sender. The number 20 was used once and is retired.
#define SOMA_REFUSALS(X) \
  /* The first checks. Nothing is charged: the sender did not ask for this execution. */ \
  X(wrong_chain, 1, "the transaction is for another network") \
  X(nonce_too_low, 2, "the nonce was used before") \
  X(nonce_too_high, 3, "an earlier transaction of this account is missing") \
  X(expired, 4, "the transaction expired in an earlier epoch") \
  X(too_large, 5, "the transaction is larger than 256 KiB") \
  X(account_unknown, 6, "the sender has no account") \
  X(base_fee_unaffordable, 7, "the balance does not cover the base fee") \
  X(malformed, 8, "the transaction's bytes cannot be read") \
  X(bad_signature, 9, "the signature is not the sender's") \
  /* Refusals of any kind of transaction. */ \
  X(arithmetic_overflow, 21, "an amount does not fit") \
  X(balance_too_low, 22, "the balance does not cover the amount") \
  X(fee_unaffordable, 23, "the balance does not cover the fee") \
  X(amount_is_zero, 24, "the amount is zero") \
  /* Models, protocol §6, in the order of the checks. */ \
  X(model_unknown, 40, "there is no such model") \
  X(not_model_owner, 41, "the model belongs to another account") \
  X(model_inactive, 42, "the model is inactive") \
  X(model_retiring, 43, "the model is retiring") \
  X(version_pending, 44, "a version of the model is still pending") \
  X(manifest_invalid, 45, "the manifest of the weights is invalid") \
  X(stake_below_minimum, 46, "the stake is below the minimum") \
  X(commission_out_of_range, 47, "the commission is above 10000 basis points") \
  X(commission_step_too_large, 48, "the commission rises too fast") \
  X(nothing_to_reveal, 49, "the model has no committed version to reveal") \
  X(reveal_too_early, 50, "a version is revealed in the epoch after its commit") \
  X(reveal_too_late, 51, "the epoch for revealing this version is over") \
  X(commitment_mismatch, 52, "what is revealed is not what was committed") \
  X(embedding_wrong_dimension, 53, "the embedding has the wrong dimension") \
  X(embedding_not_finite, 54, "the embedding or its norm is not finite") \
  X(embedding_norm_zero, 55, "the norm of the embedding is zero") \
  X(voter_not_in_committee, 56, "only members of the committee vote") \
  X(version_unknown, 57, "the model has no such version") \
  X(version_not_on_trial, 58, "this version takes no votes in its present status") \
  X(already_voted, 59, "this member has voted already") \
  X(votes_full, 60, "the version holds all the votes it can") \
  X(manifest_known, 61, "another owner has published the encrypted weights of this root") \
  /* Claims, protocol §8.1, in the order of the checks. */ \
  X(target_unknown, 80, "there is no such target") \
  X(target_not_open, 81, "the target is not open") \
  X(target_of_other_epoch, 82, "the target is of another epoch") \
  X(model_not_assigned, 83, "the model is not assigned to the target") \
  X(loss_invalid, 84, "the loss is not a finite number of at least zero") \
  X(distance_out_of_range, 85, "the distance is above 2") \
  X(outside_radius, 86, "the distance is above the target's radius") \
  X(size_out_of_range, 87, "the data is empty or too large") \
  X(bond_unaffordable, 88, "the balance does not cover the bond") \
  /* Reveals, protocol §8.2, in the order of the checks. */ \
  X(target_not_awaiting_reveal, 100, "the target does not await a reveal") \
  X(not_the_submitter, 101, "only the account that claimed the target may reveal") \
  X(reveal_window_over, 102, "the time for revealing is over") \
  X(data_commitment_mismatch, 103, "the data is not what the claim committed to") \
  X(data_already_used, 104, "an earlier reveal named the same data") \
  /* Audit votes, protocol §8.3. */ \
  X(submission_not_revealed, 120, "the submission is not revealed") \
  X(audit_too_old, 121, "the audit was closed in an earlier epoch") \
  X(data_not_overdue, 122, "the data may still arrive: it is too early to call it unavailable") \
  X(not_called, 123, "this audit has not called the member: only its sample says ok") \
  /* Pools, protocol §4. */ \
  X(pool_unknown, 140, "there is no such pool") \
  X(pool_closed, 141, "the pool takes no deposits any more") \
  X(not_enough_shares, 142, "the holder does not have as many shares") \
  X(own_stake_needed, 143, "the owner must keep the minimum stake: retire or leave first") \
  X(shares_are_zero, 144, "no shares are named") \
  X(not_pool_owner, 145, "only the owner of the pool sets its commission") \
  X(deposit_too_small, 146, "the deposit is below the least that a pool takes") \
  X(remainder_too_small, 147, "what stays is below the least that a pool takes: withdraw all") \
  /* Validators, protocol §5. */ \
  X(consensus_key_invalid, 160, "the consensus key is not acceptable") \
  X(proof_of_possession_invalid, 161, "the proof of possession is not by the consensus key") \
  X(consensus_key_taken, 162, "the consensus key belongs to another validator") \
  X(already_joined, 163, "the validator wants a seat with this key already") \
  X(rejoin_too_early, 164, "the validator equivocated and may join from a later epoch on") \
  X(not_a_validator, 165, "the sender is not a validator") \
  X(already_leaving, 166, "the validator has given up its seat already") \
  /* Equivocation, protocol §5, in the order of the checks. */ \
  X(statement_unreadable, 180, "a statement is neither a header nor a vote of this network") \
  X(statements_do_not_conflict, 181, "the two statements do not exclude each other") \
  X(statement_signature_invalid, 182, "a statement is not signed by the key") \
  X(signer_unknown, 183, "the key belongs to no validator") \
  X(signer_not_seated, 184, "the validator had no seat in that epoch") \
  X(evidence_too_old, 185, "the epoch of the statements is over for too long, or has not begun") \
  X(evidence_known, 186, "what this validator signed in that epoch was punished already") \
  /* Hash onions, protocol §7.1.1, in the order of the checks. */ \
  X(not_a_member, 200, "the sender has no seat in the committee") \
  X(onion_invalid, 201, "the layer of an onion is not zero") \
  X(onion_pending, 202, "another onion of this key waits to take its place")
// clang-format on

namespace soma::rules {

enum class refusal : std::uint16_t {
#define SOMA_REFUSAL_VALUE(name, number, text) name = number,
  SOMA_REFUSALS(SOMA_REFUSAL_VALUE)
#undef SOMA_REFUSAL_VALUE
};

/// Every refusal there is, by number.
inline constexpr std::array all_refusals{
#define SOMA_REFUSAL_NAME(name, number, text) refusal::name,
    SOMA_REFUSALS(SOMA_REFUSAL_NAME)
#undef SOMA_REFUSAL_NAME
};

/// One sentence for the sender.
[[nodiscard]] std::string_view to_text(refusal reason);
/// The name in the code: "outside_radius".
[[nodiscard]] std::string_view name_of(refusal reason);

/// Whether it is one of the first checks: nothing was executed, and nothing is charged. Protocol
/// §1.7.
[[nodiscard]] constexpr bool stops_at_door(refusal reason) {
  return static_cast<std::uint16_t>(reason) < 20;
}

/// The result of a rule: no value when it was applied, the reason when it was refused.
using refused = std::optional<refusal>;

}  // namespace soma::rules
