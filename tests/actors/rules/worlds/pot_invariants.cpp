// Protocol §3: the emission, and every way by which money comes into the pot of the targets and
// leaves it. There is no other.
#include <algorithm>

#include "actors/rules/difficulty.hpp"
#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

using wide = unsigned __int128;

bool stands(target_status s) {
  return s == target_status::open || s == target_status::filled || s == target_status::revealed;
}

std::uint64_t amounts_of(const rules::effects& done, event_kind kind) {
  std::uint64_t sum = 0;
  for (const auto& e : done.events) sum += e.kind == kind ? e.amount.value : 0;
  return sum;
}

/// The rewards of targets that have ended in the block without being settled.
std::uint64_t rewards_returned(const mirror& rows) {
  std::uint64_t sum = 0;
  for (const auto& c : rows.targets.changed) {
    const bool ends = (!c.before || stands(c.before->status)) && !stands(c.after->status);
    if (ends && c.after->status != target_status::settled) sum += c.after->reward.value;
  }
  return sum;
}

}  // namespace

std::uint64_t pot_watch::slices() const {
  return std::clamp<std::uint64_t>(p_.hits_wanted / 16, 1, 24);
}

shannons pot_watch::for_targets(shannons emission) const {
  return {static_cast<std::uint64_t>(wide{emission.value} * p_.target_share_bps / 10'000)};
}

void pot_watch::check(const rules::effects& done, const mirror& rows) const {
  check_flows(done, rows);
  check_emission(done, rows);
  check_targets(done, rows);
  check_slices(done, rows);
}

/// The diagram of protocol §3.7, arrow by arrow.
void pot_watch::check_flows(const rules::effects& done, const mirror& rows) const {
  const auto& before = rows.chain_before;
  const auto& now = rows.chain;
  const auto emission = before.epoch_emission;
  const auto flow = done.epoch_closed ? for_targets(emission).value - before.flowed.value
                                      : now.flowed.value - before.flowed.value;
  const auto validators =
      done.epoch_closed ? emission.value - for_targets(emission).value : std::uint64_t{0};
  std::uint64_t unclaimed = 0;
  for (const auto& e : done.events)
    unclaimed += e.kind == event_kind::emission_released ? e.detail : 0;
  unclaimed -= amounts_of(done, event_kind::validator_paid);
  const auto back = amounts_of(done, event_kind::emission_returned);
  const auto opened = amounts_of(done, event_kind::target_opened);
  const auto settled = amounts_of(done, event_kind::target_settled);
  const auto returned = rewards_returned(rows);
  must(before.unissued.value + back == now.unissued.value + flow + validators,
       "money is issued by the flow and to validators, and comes back from the pot alone");
  must(
      before.target_pot.value + flow + returned + unclaimed == now.target_pot.value + opened + back,
      "the pot has no other ways in and out");
  must(before.set_aside.value + opened == now.set_aside.value + settled + returned,
       "what is set aside is paid or comes back");
}

void pot_watch::check_emission(const rules::effects& done, const mirror& rows) const {
  const auto& before = rows.chain_before;
  const auto& now = rows.chain;
  if (!done.epoch_closed) {
    must(now.epoch_emission == before.epoch_emission, "an epoch's emission is set when it begins");
    const auto elapsed = std::min(now.time_ms - now.epoch_start_ms, p_.epoch_ms);
    must(now.flowed.value == wide{for_targets(now.epoch_emission).value} * elapsed / p_.epoch_ms,
         "emission flows with time");
    return;
  }
  const auto left = now.epoch.value < p_.emission_epochs ? p_.emission_epochs - now.epoch.value : 1;
  must(now.epoch_emission.value == now.unissued.value / left,
       "an epoch emits its part of what is not issued");
  must(now.flowed.value == 0, "nothing of a new epoch has flowed");
  must(now.target_pot.value + amounts_of(done, event_kind::target_opened) <=
           before.epoch_emission.value,
       "the pot keeps what one epoch emits at most");
}

void pot_watch::check_targets(const rules::effects& done, const mirror& rows) const {
  for (const auto& e : done.events) {
    if (e.kind == event_kind::target_opened)
      must(e.amount.value >= 1'000, "no target is worth less than 1,000 shannons");
  }
  if (rows.chain.targets_waiting == 0) return;
  const auto parts = std::max<std::uint64_t>(p_.hits_wanted / slices(), 2 * p_.initial_targets);
  const bool any_model = std::ranges::any_of(rows.models.rows, [](const auto& model) {
    return model.second.status == model_status::active;
  });
  must(!any_model || rows.chain.target_pot.value / parts < 1'000,
       "a target waits for a model or for the pot");
}

/// Protocol §7.9 and §7.10.
void pot_watch::check_slices(const rules::effects& done, const mirror& rows) const {
  const auto& before = rows.chain_before;
  const auto& now = rows.chain;
  std::uint64_t settled = 0;
  for (const auto& e : done.events) settled += e.kind == event_kind::target_settled ? 1 : 0;
  must(now.hits == (done.epoch_closed ? 0 : before.hits + settled), "settled targets are hits");
  const auto elapsed = std::min(now.time_ms - now.epoch_start_ms, p_.epoch_ms);
  must(now.slices_done == (done.epoch_closed ? 0 : wide{slices()} * elapsed / p_.epoch_ms),
       "slices end with their time");
  const bool step = done.epoch_closed || now.slices_done != before.slices_done;
  must(now.slice_hits == (step ? 0 : before.slice_hits + settled), "a slice counts its hits");
  must(step || now.difficulty_ppm == before.difficulty_ppm, "the difficulty moves with a slice");
  // A genesis may begin beyond the bounds.
  const auto held = rules::next_difficulty(before.difficulty_ppm, 0, p_.architecture.dim);
  const auto moved = step ? now.difficulty_ppm - held : 0;
  must(moved >= -300'000 && moved <= 300'000, "the difficulty moves by its steps");
  must(now.congestion_ppm >= 1'000'000 && now.congestion_ppm <= before.congestion_ppm / 8 * 9 + 9 &&
           (now.congestion_ppm == 1'000'000 || now.congestion_ppm >= before.congestion_ppm / 8 * 7),
       "congestion moves by an eighth at most, and is never under one");
}

}  // namespace soma::test
