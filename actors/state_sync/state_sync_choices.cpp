// The decisions that follow an event: which peer is asked for what, and which snapshot is taken.
#include <algorithm>

#include "actors/state_sync/state_sync.hpp"

namespace soma::state_sync {
namespace {

namespace fs = std::filesystem;

/// After so many failures of a peer the decisions do not wait for this peer any more.
constexpr unsigned patience = 2;

}  // namespace

void state_sync::settle() {
  for (auto& [number, who] : peers_) {
    if (who.open && now_ms_ >= who.open->until_ms) miss(who);
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
  return target_ != nullptr && offered_by(who) == target_;
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
    if (offer == nullptr) continue;
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
  chunk_.clear();
  giver_ = 0;
  givers_.clear();
  for (auto& [number, who] : peers_) who.cuts_else = false;
  receiver_.emplace(staging_ / name, header);
  tell("taking the ledger over as it was after block " + name + ", the last one of epoch " +
       std::to_string(header.epoch.value) +
       (receiver_->next() == 0 ? std::string()
                               : "; " + std::to_string(receiver_->next()) + " chunks are here"));
  if (receiver_->complete()) outcome_ = outcome::complete;
}

/// The peers that can go on cut the ledger in another way than those that gave the chunks here. It
/// begins anew: the chunks are dropped, and the peers that gave them are asked last.
void state_sync::begin_again_for_cuts() {
  for (auto& [number, who] : peers_) {
    if (givers_.contains(who.key)) who.fruitless += 1;
  }
  receiver_.reset();
  fs::remove_all(staging_);
  tell("the chunks that are here fit those of no peer any more");
  begin(*target_);
}

/// Whether the peers whose chunks fit have had their time and there are others.
bool state_sync::others_would_give() const {
  bool others = false;
  for (const auto& [number, who] : peers_) {
    if (!can_give(who)) continue;
    if (!who.cuts_else && who.fruitless < patience) return false;
    others = others || who.cuts_else;
  }
  return others;
}

void state_sync::choose_giver() {
  chunk_.clear();
  if (others_would_give()) begin_again_for_cuts();
  // The peer that has failed least, even if it may be asked only later.
  const whom* best = nullptr;
  peer_number number_of_best = 0;
  for (const auto& [number, who] : peers_) {
    if (!can_give(who) || who.cuts_else) continue;
    if (best != nullptr && best->fruitless <= who.fruitless) continue;
    best = &who;
    number_of_best = number;
  }
  if (best == nullptr || best->open || now_ms_ < best->not_before_ms) return;
  giver_ = number_of_best;
}

void state_sync::ask_pieces() {
  if (target_ == nullptr) return;
  if (!peers_.contains(giver_)) giver_ = 0;
  if (giver_ == 0) choose_giver();
  const auto giver = peers_.find(giver_);
  if (giver == peers_.end() || outcome_ != outcome::running) return;
  auto& who = giver->second;
  if (who.open || now_ms_ < who.not_before_ms) return;
  const auto& header = target_->end->headers.front();
  ask(giver_, who,
      {header.epoch, header.height, receiver_->next(), static_cast<std::uint32_t>(chunk_.size())});
}

void state_sync::ask_ends() {
  for (auto& [number, who] : peers_) {
    if (number == giver_ || who.open || now_ms_ < who.not_before_ms) continue;
    ask(number, who, {who.at->after.epoch(), {}, 0, 0});
  }
}

void state_sync::ask(peer_number number, whom& who, const peer::ask_state& request) {
  who.open = question{request, now_ms_ + options_.answer_ms};
  effects_.push_back(send{number, request});
}

}  // namespace soma::state_sync
