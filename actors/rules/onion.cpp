#include "actors/rules/onion.hpp"

#include "messages/signing/signing.hpp"

namespace soma::rules {
onion_row due_at(const std::optional<onion_row>& onion, block_height height) {
  if (!onion) return {};
  if (onion->next_layer == hash256{} || height < onion->next_from) return *onion;
  return {onion->next_layer, onion->next_number, {}, 0, {}};
}

bool peel_holds(const std::optional<onion_row>& onion, block_height height, const hash256& peel) {
  const auto around = due_at(onion, height).layer;
  return around == hash256{} ? peel == hash256{} : signing::layer_around(peel) == around;
}

void peel_onion(block_run& run, const public_key& proposer, const hash256& peel) {
  if (const auto* known = run.state.onions.find(proposer)) {
    auto onion = due_at(*known, run.height);
    if (onion.layer != hash256{}) {
      onion.layer = peel;
      run.state.onions.put(proposer, onion);
    }
  }
  run.state.update_chain(
      [&](chain_row& c) { c.entropy = signing::entropy_after(c.entropy, peel); });
}

namespace {

onion_row onion_of(const block_run& run, const public_key& key) {
  const auto* known = run.state.onions.find(key);
  return due_at(known != nullptr ? *known : onion_row{}, run.height);
}

}  // namespace

refused check_onion(const block_run& run, const address& sender, const tx::commit_onion& what) {
  const auto& seats = run.state.committee().seats;
  const auto seat = std::ranges::find(seats, sender, &committee_seat::member);
  if (seat == seats.end()) return refusal::not_a_member;
  if (what.layer == hash256{}) return refusal::onion_invalid;
  if (onion_of(run, seat->consensus_key).next_layer != hash256{}) return refusal::onion_pending;
  return std::nullopt;
}

refused commit_onion(block_run& run, const address& sender, const tx::commit_onion& what) {
  if (const auto no = check_onion(run, sender, what)) return no;
  const auto& seats = run.state.committee().seats;
  const auto seat = std::ranges::find(seats, sender, &committee_seat::member);
  auto onion = onion_of(run, seat->consensus_key);
  onion.next_layer = what.layer;
  onion.next_number = what.number;
  onion.next_from = run.height + onion_delay;
  run.state.onions.put(seat->consensus_key, onion);
  return std::nullopt;
}

}  // namespace soma::rules
