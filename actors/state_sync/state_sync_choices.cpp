// The decisions that follow an event: which peer is asked for what, and which snapshot is taken.
#include <algorithm>

#include "actors/state_sync/state_sync.hpp"

namespace soma::state_sync {
namespace {

namespace fs = std::filesystem;

/// After so many failures of a peer the decisions do not wait for this peer any more.
constexpr unsigned patience = 2;
/// After so many chunks of a peer behind which nobody went on, it gives no more chunks.
constexpr unsigned most_dead_ends = 3;

}  // namespace

void state_sync::settle() {
  for (auto& [number, who] : peers_) {
    const bool has_failed = who.open ? now_ms_ >= who.open->until_ms
                                     : window_.is_silent(number, options_.answer_ms, now_ms_);
    if (has_failed) miss(number, who);
  }
  if (outcome_ != outcome::running) return;
  choose();
  if (outcome_ != outcome::running) return;
  ask_pieces();
  ask_ends();
}

/// The end of the epoch of the snapshot that the peer says it has, if the peer has proven this end.
state_sync::history* state_sync::offered_by(const whom& who) const {
  auto* at = who.at;
  while (at->end && at->end->headers.front().height > who.snapshot) at = at->before;
  return at->end && at->end->headers.front().height == who.snapshot ? at : nullptr;
}

bool state_sync::can_give(const whom& who) const {
  return target_ != nullptr && offered_by(who) == target_ && dead_ends_of(who) < most_dead_ends;
}

unsigned state_sync::dead_ends_of(const whom& who) const {
  const auto found = dead_ends_.find(who.key);
  return found == dead_ends_.end() ? 0 : found->second;
}

bool state_sync::is_fork_below(const history& target) const {
  for (const auto* at = &target; at->before != nullptr; at = at->before) {
    if (options_.trusted && at->end->headers.front().epoch <= options_.trusted->epoch) break;
    if (at->before->next.size() > 1) return true;
  }
  return false;
}

/// Whether all peers have told what they know, or have had the time for it.
bool state_sync::may_choose() const {
  if (!first_peer_ms_ || peers_.empty() || now_ms_ < *first_peer_ms_ + options_.gather_ms) {
    return false;
  }
  if (first_offer_ms_ && now_ms_ >= *first_offer_ms_ + options_.walk_ms) return true;
  return std::ranges::all_of(peers_, [](const auto& one) {
    return one.second.has_told_all || one.second.misses >= patience;
  });
}

void state_sync::choose() {
  const bool can_go_on =
      std::ranges::any_of(peers_, [&](const auto& one) { return can_give(one.second); });
  if (can_go_on || peers_.empty()) {
    if (peers_.empty()) moved_ms_ = now_ms_;  // time without any peer does not count
    nothing_since_ms_.reset();
    if (target_ != nullptr && now_ms_ >= moved_ms_ + options_.stalled_ms) {
      outcome_ = outcome::no_snapshot;
    }
    return;
  }
  history* best = nullptr;
  for (const auto& [number, who] : peers_) {
    auto* offer = offered_by(who);
    if (offer == nullptr || dead_ends_of(who) >= most_dead_ends) continue;
    const auto& header = offer->end->headers.front();
    if (options_.trusted && header.epoch < options_.trusted->epoch) continue;
    if (!first_offer_ms_) first_offer_ms_ = now_ms_;
    const bool goes_on = kept_ && header.height == *kept_;
    const bool is_newer = best == nullptr || header.height > best->end->headers.front().height;
    const bool best_goes_on =
        best != nullptr && kept_ && best->end->headers.front().height == *kept_;
    if (goes_on || (is_newer && !best_goes_on)) best = offer;
  }
  if (!may_choose()) return;
  if (best == nullptr) {
    if (!nothing_since_ms_) nothing_since_ms_ = now_ms_;
    // A peer may be writing a snapshot just now, unless no peer knows the end of any epoch.
    const auto wait_ms = first_->next.empty() ? 0 : options_.nothing_ms;
    if (now_ms_ >= *nothing_since_ms_ + wait_ms) outcome_ = outcome::no_snapshot;
    return;
  }
  if (is_fork_below(*best)) {
    outcome_ = outcome::contradiction;
    return;
  }
  // A peer with the snapshot that was begun may come back. An older snapshot replaces it only
  // later.
  const bool is_older = target_ != nullptr &&
                        best->end->headers.front().height < target_->end->headers.front().height;
  if (is_older && now_ms_ < moved_ms_ + options_.walk_ms) return;
  moved_ms_ = now_ms_;
  furthest_ = 0;
  begin(*best);
}

void state_sync::begin(history& target) {
  const auto& header = target.end->headers.front();
  const auto name = std::to_string(header.height.value);
  std::error_code none;
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(staging_, none)) {
    if (entry.path().filename() != name) others.push_back(entry.path());
  }
  for (const auto& path : others) fs::remove_all(path);
  target_ = &target;
  kept_.reset();
  last_giver_.reset();
  for (auto& [number, who] : peers_) who.cuts_else = false;
  receiver_.emplace(staging_ / name, header);
  window_.begin(receiver_->next());
  tell("taking the ledger over as it was after block " + name + ", the last one of epoch " +
       std::to_string(header.epoch.value) +
       (receiver_->next() == 0 ? std::string()
                               : "; " + std::to_string(receiver_->next()) + " chunks are here"));
  if (receiver_->complete()) outcome_ = outcome::complete;
}

/// The peers that can go on cut the ledger in another way than those that gave the chunks here. It
/// begins anew: the chunks are dropped.
void state_sync::begin_again_for_cuts() {
  if (last_giver_) dead_ends_[*last_giver_] += 1;
  receiver_.reset();
  fs::remove_all(staging_);
  tell("the chunks that are here fit those of no peer any more");
  begin(*target_);
}

state_sync::demerits state_sync::demerits_of(const whom& who) const {
  return {dead_ends_of(who), who.fruitless < patience ? 0 : who.fruitless};
}

/// The fewest demerits among the peers that can give chunks and whose cuts fit, or else don't fit;
/// nullopt when there is no such peer.
std::optional<state_sync::demerits> state_sync::fewest_demerits(bool of_other_cuts) const {
  std::optional<demerits> fewest;
  for (const auto& [number, who] : peers_) {
    if (!can_give(who) || who.cuts_else != of_other_cuts) continue;
    fewest = std::min(fewest.value_or(demerits_of(who)), demerits_of(who));
  }
  return fewest;
}

void state_sync::ask_pieces() {
  if (target_ == nullptr) return;
  auto fewest = fewest_demerits(false);
  const auto others = fewest_demerits(true);
  if (others && (!fewest || *others < *fewest)) {
    begin_again_for_cuts();
    if (outcome_ != outcome::running) return;
    fewest = fewest_demerits(false);
  }
  const auto& header = target_->end->headers.front();
  for (auto& [number, who] : peers_) {
    if (!can_give(who) || who.cuts_else || demerits_of(who) != fewest) {
      window_.forget(number);
      continue;
    }
    if (who.open || now_ms_ < who.not_before_ms) continue;
    while (const auto next = window_.ask(number, who.chunks, now_ms_)) {
      effects_.push_back(
          send{number, peer::ask_state{header.epoch, header.height, next->chunk, next->from}});
    }
  }
}

void state_sync::ask_ends() {
  for (auto& [number, who] : peers_) {
    if (who.open || window_.is_busy(number)) continue;
    if (now_ms_ < std::max(who.not_before_ms, who.ends_not_before_ms)) continue;
    const peer::ask_state request{who.at->after.epoch(), {}, 0, 0};
    who.open = question{request, now_ms_ + options_.answer_ms};
    effects_.push_back(send{number, request});
  }
}

}  // namespace soma::state_sync
