#include "actors/rules/models.hpp"

#include <algorithm>
#include <bit>

#include "actors/rules/agenda.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/derived_ids.hpp"
#include "actors/rules/pools.hpp"
#include "actors/rules/staking.hpp"
#include "actors/rules/votes.hpp"

namespace soma::rules {
namespace {

constexpr std::uint32_t chunk_bytes = 1u << 20;
constexpr std::uint64_t max_weights_bytes = std::uint64_t{1} << 40;

bool is_valid(const weights_manifest& m) {
  return m.size_bytes > 0 && m.size_bytes <= max_weights_bytes && m.chunk_bytes == chunk_bytes &&
         !m.root.is_zero();
}

model_version_ref latest_of(const model_id& model, const model_row& row) {
  return {model, row.latest_version};
}

bool is_pending(const model_version_row& version) {
  return version.status == version_status::committed || version.status == version_status::revealed;
}

void leave_registry(block_run& run, const model_id& model, const model_row& row) {
  if (row.status != model_status::active) return;
  run.registry.push_back({{model, row.active_version}, false, {}, counted_stake(row.pool)});
}

refused check_update(const block_run& run, const address& sender, const tx::commit_model& what) {
  const model_row* row = run.state.models.find(*what.model);
  if (row == nullptr) return refusal::model_unknown;
  if (row->owner != sender) return refusal::not_model_owner;
  if (row->status == model_status::inactive) return refusal::model_inactive;
  if (row->retiring) return refusal::model_retiring;
  if (is_pending(run.state.versions.get(latest_of(*what.model, *row))))
    return refusal::version_pending;
  if (!is_valid(what.manifest)) return refusal::manifest_invalid;
  if (what.commission_bps > basis_points) return refusal::commission_out_of_range;
  if (what.commission_bps > row->commission_bps + run.parameters.max_commission_step_bps) {
    return refusal::commission_step_too_large;
  }
  return std::nullopt;
}

refused check_new(const block_run& run, const tx::commit_model& what) {
  if (!is_valid(what.manifest)) return refusal::manifest_invalid;
  if (what.stake < run.parameters.min_model_stake) return refusal::stake_below_minimum;
  if (what.commission_bps > basis_points) return refusal::commission_out_of_range;
  return std::nullopt;
}

/// A model that has never been active and did not reveal loses a part of its pool and becomes
/// inactive.
void punish_silence(block_run& run, const model_id& model) {
  const shannons stake = run.state.models.get(model).pool.stake;
  const shannons taken{share_of(stake.value, run.parameters.missed_reveal_slash_bps, basis_points)};
  slash_shares(run, model, taken);
  run.state.must_move(stake_of(model), of(pot::burned), taken);
  run.state.models.update(model, [](model_row& row) { row.status = model_status::inactive; });
  auto& e = run.note(event_kind::model_slashed);
  e.model = latest_of(model, run.state.models.get(model));
  e.account = run.state.models.get(model).owner;
  e.amount = taken;
}

void drop_version(block_run& run, const model_version_ref& which) {
  SOMA_ASSERT(is_pending(run.state.versions.get(which)), "only a pending version is dropped");
  run.state.versions.update(which,
                            [](model_version_row& v) { v.status = version_status::dropped; });
  auto& e = run.note(event_kind::model_update_dropped);
  e.model = which;
  e.account = run.state.models.get(which.model).owner;
}

void slash_bad_version(block_run& run, const model_version_ref& which) {
  const model_row row = run.state.models.get(which.model);
  SOMA_ASSERT(row.status != model_status::inactive, "an inactive model is not judged");
  const auto votes = run.state.versions.get(which).votes;
  const shannons taken{
      share_of(row.pool.stake.value, run.parameters.bad_model_slash_bps, basis_points)};
  const shannons for_voters{taken.value / 2};
  slash_shares(run, which.model, taken);
  const auto first = run.events.size();
  const auto paid = pay_voters(run, stake_of(which.model), for_voters, votes,
                               [](model_verdict v) { return v != model_verdict::good; });
  for (auto i = first; i < run.events.size(); ++i) run.events[i].model = which;
  run.state.must_move(stake_of(which.model), of(pot::burned), {taken.value - paid.value});
  leave_registry(run, which.model, row);
  run.state.versions.update(which, [](model_version_row& v) { v.status = version_status::bad; });
  run.state.models.update(which.model, [](model_row& m) { m.status = model_status::inactive; });
  auto& e = run.note(event_kind::model_slashed);
  e.model = which;
  e.account = row.owner;
  e.amount = taken;
}

void retire(block_run& run, const model_id& model, const model_row& row) {
  const auto which = latest_of(model, row);
  const auto status = run.state.versions.get(which).status;
  if (is_pending(run.state.versions.get(which))) drop_version(run, which);
  // Retiring before the first reveal is punished like a missed reveal; otherwise it would be a
  // cheap way to avoid that punishment.
  if (row.active_version == 0 && status == version_status::committed) punish_silence(run, model);
  leave_registry(run, model, row);
  run.state.models.update(model, [](model_row& m) { m.status = model_status::inactive; });
  auto& e = run.note(event_kind::model_retired);
  e.model = {model, row.active_version};
  e.account = row.owner;
}

void activate(block_run& run, const model_id& model) {
  const model_row before = run.state.models.get(model);
  const auto which = latest_of(model, before);
  SOMA_ASSERT(run.state.versions.get(which).status == version_status::revealed,
              "a version becomes active after its reveal");
  leave_registry(run, model, before);
  if (before.active_version != 0) {
    run.state.versions.update({model, before.active_version},
                              [](auto& v) { v.status = version_status::superseded; });
  }
  run.state.versions.update(which, [](auto& v) { v.status = version_status::active; });
  if (before.activation_order == 0) {
    run.state.update_chain([](chain_row& c) { ++c.models_activated; });
  }
  run.state.models.update(model, [&](model_row& row) {
    row.status = model_status::active;
    row.active_version = which.version;
    if (row.activation_order == 0) row.activation_order = run.state.chain().models_activated;
  });
  run.registry.push_back(
      {which, true, run.state.versions.get(which).embedding, counted_stake(before.pool)});
  auto& e = run.note(event_kind::model_activated);
  e.model = which;
  e.account = before.owner;
}

}  // namespace

refused check_embedding(std::span<const float> embedding, std::uint32_t dim) {
  if (embedding.size() != dim) return refusal::embedding_wrong_dimension;
  bool has_norm = false;
  for (const float value : embedding) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & 0x7fff'ffff;
    if (magnitude > (127u + 56) << 23) return refusal::embedding_not_finite;
    has_norm = has_norm || magnitude >= (127u - 60) << 23;
  }
  if (!has_norm) return refusal::embedding_norm_zero;
  return std::nullopt;
}

refused commit_model(block_run& run, const address& sender, const tx::commit_model& what) {
  if (const auto no = what.model ? check_update(run, sender, what) : check_new(run, what))
    return no;
  const model_id model = what.model ? *what.model : model_id_of(run.transaction);
  if (!what.model) {
    SOMA_ASSERT(run.state.models.find(model) == nullptr,
                "a transaction's id is new, so is its model's");
    run.state.models.put(model, {.owner = sender,
                                 .status = model_status::committed,
                                 .pool = {},
                                 .commission_bps = what.commission_bps,
                                 .next_commission_bps = what.commission_bps,
                                 .active_version = 0,
                                 .latest_version = 0,
                                 .activation_order = 0,
                                 .retiring = false});
  }
  if (const auto no = what.model ? lock_deposit(run, model, sender, what.stake)
                                 : found_pool(run, model, sender, what.stake)) {
    return no;
  }
  run.state.models.update(model, [&](model_row& row) {
    ++row.latest_version;
    row.next_commission_bps = what.commission_bps;
  });
  // The commission changes at the end of this epoch; at the end of the next one the version is
  // activated or dropped.
  schedule(run, run.epoch(), model);
  schedule(run, run.epoch().next(), model);
  const auto which = latest_of(model, run.state.models.get(model));
  run.state.versions.put(which, {.status = version_status::committed,
                                 .committed_in = run.epoch(),
                                 .commitment = what.commitment,
                                 .manifest = what.manifest,
                                 .weights = {},
                                 .key = {},
                                 .embedding = {},
                                 .votes = {}});
  auto& e = run.note(event_kind::model_committed);
  e.model = which;
  e.account = sender;
  e.amount = what.stake;
  return std::nullopt;
}

refused reveal_model(block_run& run, const address& sender, const tx::reveal_model& what) {
  const model_row* row = run.state.models.find(what.model);
  if (row == nullptr) return refusal::model_unknown;
  if (row->owner != sender) return refusal::not_model_owner;
  const auto which = latest_of(what.model, *row);
  const model_version_row& version = run.state.versions.get(which);
  if (version.status != version_status::committed) return refusal::nothing_to_reveal;
  if (run.epoch() < version.committed_in.next()) return refusal::reveal_too_early;
  if (run.epoch() > version.committed_in.next()) return refusal::reveal_too_late;
  if (model_commitment(what.weights, what.key, what.embedding, what.salt) != version.commitment) {
    return refusal::commitment_mismatch;
  }
  if (const auto no = check_embedding(what.embedding, run.parameters.architecture.dim)) return no;
  run.state.versions.update(which, [&](model_version_row& v) {
    v.status = version_status::revealed;
    v.weights = what.weights;
    v.key = what.key;
    v.embedding = what.embedding;
  });
  auto& e = run.note(event_kind::model_revealed);
  e.model = which;
  e.account = sender;
  return std::nullopt;
}

refused retire_model(block_run& run, const address& sender, const tx::retire_model& what) {
  const model_row* row = run.state.models.find(what.model);
  if (row == nullptr) return refusal::model_unknown;
  if (row->owner != sender) return refusal::not_model_owner;
  if (row->status == model_status::inactive) return refusal::model_inactive;
  if (row->retiring) return refusal::model_retiring;
  run.state.models.update(what.model, [](model_row& r) { r.retiring = true; });
  schedule(run, run.epoch(), what.model);
  auto& e = run.note(event_kind::model_retiring);
  e.model = {what.model, row->active_version};
  e.account = sender;
  return std::nullopt;
}

refused vote_on_model(block_run& run, const address& sender, const tx::vote_on_model& what) {
  const auto power = run.state.power_of(sender);
  if (power.value == 0) return refusal::voter_not_in_committee;
  const model_row* model = run.state.models.find(what.version.model);
  if (model == nullptr) return refusal::model_unknown;
  const model_version_row* version = run.state.versions.find(what.version);
  if (version == nullptr) return refusal::version_unknown;
  const bool on_trial =
      version->status == version_status::revealed || version->status == version_status::active;
  if (!on_trial || model->status == model_status::inactive) return refusal::version_not_on_trial;
  if (has_voted(version->votes, sender)) return refusal::already_voted;
  if (version->votes.size() >= max_cast_votes) return refusal::votes_full;
  run.state.versions.update(what.version, [&](model_version_row& v) {
    v.votes.push_back({sender, power, what.verdict});
  });
  auto& e = run.note(event_kind::model_vote_cast);
  e.model = what.version;
  e.account = sender;
  e.detail = static_cast<std::uint64_t>(what.verdict);
  const auto bad = power_where(run.state.versions.get(what.version).votes,
                               [](model_verdict v) { return v != model_verdict::good; });
  if (bad >= quorum_power) slash_bad_version(run, what.version);
  return std::nullopt;
}

void drop_missed_reveals(block_run& run, std::span<const model_id> models) {
  for (const auto& model : models) {
    const model_row row = run.state.models.get(model);
    if (row.status == model_status::inactive) continue;
    const auto which = latest_of(model, row);
    const auto& version = run.state.versions.get(which);
    if (version.status != version_status::committed || version.committed_in >= run.epoch())
      continue;
    drop_version(run, which);
    if (row.active_version == 0) punish_silence(run, model);
  }
}

void activate_and_retire(block_run& run, std::span<const model_id> models) {
  for (const auto& model : models) {
    const model_row row = run.state.models.get(model);
    if (row.status == model_status::inactive) continue;
    if (row.retiring) {
      retire(run, model, row);
    } else if (run.state.versions.get(latest_of(model, row)).status == version_status::revealed) {
      activate(run, model);
    }
  }
}

}  // namespace soma::rules
