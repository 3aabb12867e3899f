#include "actors/rules/refusal.hpp"

namespace soma::rules {

std::string_view to_text(refusal reason) {
  switch (reason) {
    case refusal::wrong_chain:
      return "the transaction is for another network";
    case refusal::nonce_too_low:
      return "the nonce was used before";
    case refusal::nonce_too_high:
      return "an earlier transaction of this account is missing";
    case refusal::expired:
      return "the transaction expired in an earlier epoch";
    case refusal::too_large:
      return "the transaction is larger than 256 KiB";
    case refusal::account_unknown:
      return "the sender has no account";
    case refusal::base_fee_unaffordable:
      return "the balance does not cover the base fee";
    case refusal::malformed:
      return "the transaction's bytes cannot be read";
    case refusal::bad_signature:
      return "the signature is not the sender's";
    case refusal::kind_not_enabled:
      return "this kind of transaction is not enabled";
    case refusal::arithmetic_overflow:
      return "an amount does not fit";
    case refusal::balance_too_low:
      return "the balance does not cover the amount";
    case refusal::fee_unaffordable:
      return "the balance does not cover the fee";
    case refusal::amount_is_zero:
      return "the amount is zero";
    case refusal::model_unknown:
      return "there is no such model";
    case refusal::not_model_owner:
      return "the model belongs to another account";
    case refusal::model_inactive:
      return "the model is inactive";
    case refusal::model_retiring:
      return "the model is retiring";
    case refusal::version_pending:
      return "a version of the model is still pending";
    case refusal::manifest_invalid:
      return "the manifest of the weights is invalid";
    case refusal::stake_below_minimum:
      return "the stake is below the minimum";
    case refusal::commission_out_of_range:
      return "the commission is above 10000 basis points";
    case refusal::commission_step_too_large:
      return "the commission rises too fast";
    case refusal::nothing_to_reveal:
      return "the model has no committed version to reveal";
    case refusal::reveal_too_early:
      return "a version is revealed in the epoch after its commit";
    case refusal::reveal_too_late:
      return "the epoch for revealing this version is over";
    case refusal::commitment_mismatch:
      return "what is revealed is not what was committed";
    case refusal::embedding_wrong_dimension:
      return "the embedding has the wrong dimension";
    case refusal::embedding_not_finite:
      return "the embedding or its norm is not finite";
    case refusal::embedding_norm_zero:
      return "the norm of the embedding is zero";
    case refusal::voter_not_in_committee:
      return "only members of the committee vote";
    case refusal::version_unknown:
      return "the model has no such version";
    case refusal::version_not_on_trial:
      return "this version takes no votes in its present status";
    case refusal::already_voted:
      return "this member has voted already";
    case refusal::votes_full:
      return "the version holds all the votes it can";
    case refusal::target_unknown:
      return "there is no such target";
    case refusal::target_not_open:
      return "the target is not open";
    case refusal::target_of_other_epoch:
      return "the target is of another epoch";
    case refusal::model_not_assigned:
      return "the model is not assigned to the target";
    case refusal::loss_invalid:
      return "the loss is not a finite number of at least zero";
    case refusal::distance_out_of_range:
      return "the distance is above 2";
    case refusal::outside_radius:
      return "the distance is above the target's radius";
    case refusal::size_out_of_range:
      return "the data is empty or too large";
    case refusal::bond_unaffordable:
      return "the balance does not cover the bond";
    case refusal::target_not_awaiting_reveal:
      return "the target does not await a reveal";
    case refusal::not_the_submitter:
      return "only the one who claimed the target reveals";
    case refusal::reveal_window_over:
      return "the time for revealing is over";
    case refusal::data_commitment_mismatch:
      return "the data is not what the claim committed to";
    case refusal::data_already_used:
      return "an earlier reveal named the same data";
    case refusal::submission_not_revealed:
      return "the submission is not revealed";
    case refusal::audit_too_old:
      return "the audit was closed in an earlier epoch";
  }
  return "unknown refusal";
}

}  // namespace soma::rules
