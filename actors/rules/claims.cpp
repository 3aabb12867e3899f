#include "actors/rules/claims.hpp"

#include <algorithm>

#include "actors/rules/audit.hpp"
#include "actors/rules/difficulty.hpp"
#include "actors/rules/settlement.hpp"
#include "actors/rules/winner.hpp"
#include "messages/signing/signing.hpp"

namespace soma::rules {

std::optional<shannons> bond_for(const genesis_parameters& p, shannons reward,
                                 std::uint64_t size_bytes) {
  const auto for_size = static_cast<wide_uint>(p.bond_per_byte) * size_bytes;
  const auto bond = std::max<wide_uint>(reward.value / p.bond_reward_divisor, for_size);
  if (bond > UINT64_MAX) return std::nullopt;
  return shannons{static_cast<std::uint64_t>(bond)};
}

refused claim_target(block_run& run, const address& sender, const tx::claim_target& what) {
  const target_row* target = run.state.targets.find(what.target);
  if (target == nullptr) return refusal::target_unknown;
  if (target->status != target_status::open) return refusal::target_not_open;
  if (target->epoch != run.epoch()) return refusal::target_of_other_epoch;
  const auto& assigned = target->assigned;
  if (std::find(assigned.begin(), assigned.end(), what.winner) == assigned.end()) {
    return refusal::model_not_assigned;
  }
  if (!scale_loss(what.loss_bits)) return refusal::loss_invalid;
  if (what.distance_q30 > max_radius_q30) return refusal::distance_out_of_range;
  if (what.distance_q30 > target->radius_q30) return refusal::outside_radius;
  if (what.size_bytes < 1 || what.size_bytes > largest_data_bytes(run.parameters)) {
    return refusal::size_out_of_range;
  }
  const auto bond = bond_for(run.parameters, target->reward, what.size_bytes);
  if (!bond) return refusal::arithmetic_overflow;
  if (!run.state.move(balance_of(sender), of(pot::bonds), *bond)) return refusal::bond_unaffordable;

  SOMA_ASSERT(run.state.submissions.find(what.target) == nullptr, "an open target has no claim");
  // The point is most of the row, and claims can be many. Who audits this one draws it again.
  run.state.targets.update(what.target, [](target_row& t) {
    t.status = target_status::filled;
    t.point.clear();
  });
  run.state.update_chain([](chain_row& c) { ++c.claims_standing; });
  run.state.submissions.put(what.target, {.submitter = sender,
                                          .winner = what.winner,
                                          .loss_bits = what.loss_bits,
                                          .distance_q30 = what.distance_q30,
                                          .size_bytes = what.size_bytes,
                                          .commitment = what.commitment,
                                          .bond = *bond,
                                          .claimed_in = run.epoch(),
                                          .claimed_at = run.height,
                                          .claimed_ms = run.state.chain().time_ms,
                                          .revealed_at = std::nullopt,
                                          .revealed_ms = 0,
                                          .data = {},
                                          .blob = {},
                                          .audit_seed = {},
                                          .sampled = false,
                                          .extensions = 0,
                                          .votes = {}});
  auto& e = run.note(event_kind::target_filled);
  e.target = what.target;
  e.model = what.winner;
  e.account = sender;
  e.amount = *bond;
  return std::nullopt;
}

bool reveal_window_open(const genesis_parameters& p, const submission_row& s, block_height height,
                        std::uint64_t time_ms, epoch_number epoch) {
  const bool is_near = height.value - s.claimed_at.value <= p.reveal_window_blocks;
  const bool is_soon = time_ms - s.claimed_ms <= p.epoch_ms / short_wait_part;
  return (is_near || is_soon) && epoch <= s.claimed_in.next();
}

namespace {

/// Whether a claim may be given up without loss because of data that was revealed for another
/// target: nobody had revealed it in an earlier block than the claim's, the claims are not of one
/// submitter, who knows what it has used, and no claim was given up for this data before. Two
/// people may find one file; whoever brings a third wants to block targets for nothing. Protocol
/// §8.2.2.
bool is_found_twice(const submission_row& latest, const submission_row& claim) {
  return latest.revealed_at && *latest.revealed_at >= claim.claimed_at &&
         latest.submitter != claim.submitter;
}

}  // namespace

refused reveal_data(block_run& run, const address& sender, const tx::reveal_data& what) {
  const target_row* target = run.state.targets.find(what.target);
  if (target == nullptr) return refusal::target_unknown;
  if (target->status != target_status::filled) return refusal::target_not_awaiting_reveal;
  const submission_row& claim = run.state.submissions.get(what.target);
  SOMA_ASSERT(!claim.revealed_at, "a target that is only filled has no reveal");
  if (claim.submitter != sender) return refusal::not_the_submitter;
  const auto now_ms = run.state.chain().time_ms;
  if (!reveal_window_open(run.parameters, claim, run.height, now_ms, run.epoch())) {
    return refusal::reveal_window_over;
  }
  if (signing::data_commitment(what.data, what.blob, claim.size_bytes, what.salt, sender) !=
      claim.commitment) {
    return refusal::data_commitment_mismatch;
  }
  if (const auto* used = run.state.used_data.find(what.data)) {
    if (!is_found_twice(run.state.submissions.get(used->target), claim))
      return refusal::data_already_used;
    run.state.submissions.update(what.target, [&](submission_row& s) { s.data = what.data; });
    // The claim that is given up stands for the data from now on; it has no reveal.
    run.state.used_data.put(what.data, {what.target});
    run.state.update_chain([](chain_row& c) { --c.claims_standing; });
    void_claim(run, what.target, void_reason::data_in_use);
    return std::nullopt;
  }

  run.state.submissions.update(what.target, [&](submission_row& s) {
    s.revealed_at = run.height;
    s.revealed_ms = now_ms;
    s.data = what.data;
    s.blob = what.blob;
    s.audit_seed = signing::audit_seed_of(run.state.chain().entropy, what.target);
  });
  run.state.targets.update(what.target, [](target_row& t) { t.status = target_status::revealed; });
  run.state.update_chain([](chain_row& c) { --c.claims_standing; });
  run.state.used_data.put(what.data, {what.target});
  auto& e = run.note(event_kind::data_revealed);
  e.target = what.target;
  e.model = claim.winner;
  e.account = sender;
  return std::nullopt;
}

}  // namespace soma::rules
