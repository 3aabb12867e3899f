#include "actors/rules/models.hpp"

#include <algorithm>
#include <bit>

#include "actors/rules/agenda.hpp"
#include "actors/rules/arithmetic.hpp"
#include "actors/rules/pools.hpp"
#include "actors/rules/staking.hpp"
#include "messages/signing/signing.hpp"

namespace soma::rules {
namespace {

constexpr std::uint32_t chunk_bytes = 1u << 20;

bool is_pending(const model_version_row& version) {
  return version.status == version_status::committed || version.status == version_status::revealed;
}

/// Whether somebody else was the first to name this weights hash or root.
bool is_known_of_another(const block_run& run, const hash256& named, const address& sender) {
  const auto* known = run.state.known_weights.find(named);
  return known != nullptr && known->owner != sender;
}

void remember(block_run& run, const hash256& named, const address& owner) {
  if (run.state.known_weights.find(named) == nullptr) run.state.known_weights.put(named, {owner});
}

refused check_manifest(const block_run& run, const address& sender, const weights_manifest& m) {
  const auto values = weights_bytes(run.parameters.architecture);
  if (m.size_bytes <= values || m.size_bytes > values + max_header_bytes ||
      m.chunk_bytes != chunk_bytes || m.root.is_zero()) {
    return refusal::manifest_invalid;
  }
  if (is_known_of_another(run, m.root.as<hash_tag>(), sender)) return refusal::manifest_known;
  return std::nullopt;
}

refused check_update(const block_run& run, const address& sender, const tx::commit_model& what) {
  const model_row* row = run.state.models.find(*what.model);
  if (row == nullptr) return refusal::model_unknown;
  if (row->owner != sender) return refusal::not_model_owner;
  if (row->status == model_status::inactive) return refusal::model_inactive;
  if (row->retiring) return refusal::model_retiring;
  if (is_pending(run.state.versions.get(latest_of(*what.model, *row))))
    return refusal::version_pending;
  if (const auto no = check_manifest(run, sender, what.manifest)) return no;
  if (what.commission_bps > basis_points) return refusal::commission_out_of_range;
  if (what.commission_bps > row->commission_bps + run.parameters.max_commission_step_bps) {
    return refusal::commission_step_too_large;
  }
  return std::nullopt;
}

refused check_new(const block_run& run, const address& sender, const tx::commit_model& what) {
  if (const auto no = check_manifest(run, sender, what.manifest)) return no;
  if (what.stake < run.parameters.min_model_stake) return refusal::stake_below_minimum;
  if (what.commission_bps > basis_points) return refusal::commission_out_of_range;
  return std::nullopt;
}

/// A model that has never been active and did not reveal loses a part of its pool and becomes
/// inactive.
void punish_silence(block_run& run, const model_id& model) {
  auto slashed = slash_pool(run, model, run.parameters.missed_reveal_slash_bps, {});
  const shannons taken = slashed.sum();
  move_slashed(run, model, slashed, of(pot::burned), taken);
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

}  // namespace

model_version_ref latest_of(const model_id& model, const model_row& row) {
  return {model, row.latest_version};
}

void leave_registry(block_run& run, const model_id& model, const model_row& row) {
  if (row.status != model_status::active) return;
  run.registry.push_back({{model, row.active_version}, false, {}, counted_stake(row.pool)});
}

std::uint64_t weights_bytes(const model_architecture& a) {
  SOMA_ASSERT(is_valid(a), "a genesis has a valid architecture");
  const std::uint64_t d = a.dim, f = a.ffn, v = model_architecture::vocab;
  // Four vectors of two norms, four matrices of the attention with a bias each, and the two
  // matrices of the feed-forward network. The bounds of an architecture keep all of it below 2^43.
  const std::uint64_t layer = 4 * d + 4 * (d * d + d) + (d * f + f) + (f * d + d);
  return sizeof(float) * (2 * v * d + v + 2 * d + a.layers * layer);
}

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
  if (const auto no = what.model ? check_update(run, sender, what) : check_new(run, sender, what)) {
    return no;
  }
  const model_id model = what.model ? *what.model : signing::model_id_of(run.transaction);
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
  // activated, dropped, or put on the agenda again.
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
                                 .votes = {},
                                 .activation_order = 0});
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
  if (signing::model_commitment(what.weights, what.key, what.embedding, what.salt, sender) !=
      version.commitment) {
    return refusal::commitment_mismatch;
  }
  if (const auto no = check_embedding(what.embedding, run.parameters.architecture.dim)) return no;
  const auto* known = run.state.known_weights.find(what.weights.as<hash_tag>());
  if (known != nullptr && known->owner != sender) {
    // Whoever was first may be the thief, so the one who comes second loses no stake.
    run.state.versions.update(which, [&](model_version_row& v) { v.weights = what.weights; });
    give_up(run, what.model, known->owner);
    return std::nullopt;
  }
  run.state.versions.update(which, [&](model_version_row& v) {
    v.status = version_status::revealed;
    v.weights = what.weights;
    v.key = what.key;
    v.embedding = what.embedding;
  });
  // The root is bound here and not with the commit: whoever sees a commit could name its root
  // first, and would keep the owner out.
  remember(run, version.manifest.root.as<hash_tag>(), sender);
  remember(run, what.weights.as<hash_tag>(), sender);
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
      end_trial(run, model);
    }
  }
}

}  // namespace soma::rules
