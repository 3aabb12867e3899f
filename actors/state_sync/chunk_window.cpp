#include "actors/state_sync/chunk_window.hpp"

#include <algorithm>

#include "messages/values/assert.hpp"

namespace soma::state_sync {

void chunk_window::begin(std::uint32_t front) {
  front_ = front;
  slots_.clear();
  askings_.clear();
}

std::optional<chunk_window::piece> chunk_window::ask(peer_number peer, std::uint32_t chunks,
                                                     std::uint64_t now_ms) {
  auto& mine = askings_[peer];
  if (mine.open.size() >= limits_.pieces) return std::nullopt;
  auto next = begun(peer, mine);
  if (!next) next = unbegun(peer, mine, chunks, now_ms);
  if (!next) return std::nullopt;
  auto& of = slots_[next->chunk];
  if (of.parts.try_emplace(peer).second) of.moved_ms = now_ms;
  mine.open.emplace(*next, now_ms);
  SOMA_ASSERT(of.parts.size() <= 2 && !of.whole, "a chunk is asked of two peers at most");
  return next;
}

/// The next piece of a chunk that the peer has begun to give.
std::optional<chunk_window::piece> chunk_window::begun(peer_number peer, const asking& mine) const {
  for (const auto& [number, of] : slots_) {
    const auto part = of.parts.find(peer);
    if (part == of.parts.end() || !has_room_for(number)) continue;
    const piece next{number, static_cast<std::uint32_t>(part->second.size())};
    if (!mine.open.contains(next)) return next;
  }
  return std::nullopt;
}

/// The first piece of a chunk that no peer is asked for, or else of one that does not come.
std::optional<chunk_window::piece> chunk_window::unbegun(peer_number peer, const asking& mine,
                                                         std::uint32_t chunks,
                                                         std::uint64_t now_ms) const {
  std::optional<piece> late;
  for (auto number = front_; number - front_ < limits_.chunks; ++number) {
    if (number != front_ && (number >= chunks || !has_room_for(number))) break;
    // An answer that is of no use any more is still on its way, and must not be mistaken for a new
    // one.
    const auto open = mine.open.lower_bound({number, 0});
    if (open != mine.open.end() && open->first.chunk == number) continue;
    const auto at = slots_.find(number);
    if (at == slots_.end()) return piece{number, 0};
    const auto& of = at->second;
    if (of.whole || of.parts.size() != 1 || of.parts.contains(peer)) continue;
    if (!late && now_ms >= of.moved_ms + limits_.hedge_ms) late = piece{number, 0};
  }
  return late;
}

bool chunk_window::has_room_for(std::uint32_t chunk) const {
  return chunk == front_ || held_bytes() + max_state_data_bytes <= limits_.held_bytes;
}

bool chunk_window::is_asked(peer_number peer, const piece& which) const {
  const auto mine = askings_.find(peer);
  return mine != askings_.end() && mine->second.open.contains(which);
}

bool chunk_window::is_busy(peer_number peer) const {
  const auto mine = askings_.find(peer);
  if (mine != askings_.end() && !mine->second.open.empty()) return true;
  return std::ranges::any_of(slots_,
                             [&](const auto& one) { return one.second.parts.contains(peer); });
}

bool chunk_window::is_silent(peer_number peer, std::uint64_t answer_ms,
                             std::uint64_t now_ms) const {
  const auto mine = askings_.find(peer);
  if (mine == askings_.end()) return false;
  return std::ranges::any_of(mine->second.open, [&](const auto& one) {
    const auto asked_ms = one.second;
    return now_ms >= std::max(asked_ms, mine->second.heard_ms) + answer_ms ||
           now_ms >= asked_ms + limits_.pieces * answer_ms;
  });
}

bool chunk_window::has_answered(peer_number peer, const piece& which, std::uint64_t now_ms) {
  const auto mine = askings_.find(peer);
  if (mine == askings_.end() || mine->second.open.erase(which) == 0) return false;
  mine->second.heard_ms = now_ms;
  return true;
}

void chunk_window::put_off(peer_number peer, const piece& which, std::uint64_t now_ms) {
  (void)has_answered(peer, which, now_ms);
}

chunk_window::arrival chunk_window::take(peer_number peer, const public_key& giver,
                                         const piece& which, byte_view data,
                                         std::uint32_t chunk_bytes, std::uint64_t now_ms) {
  if (!has_answered(peer, which, now_ms)) return arrival::unasked;
  const auto at = slots_.find(which.chunk);
  if (at == slots_.end()) return arrival::unasked;
  auto& of = at->second;
  const auto part = of.parts.find(peer);
  if (part == of.parts.end()) return arrival::unasked;
  SOMA_ASSERT(part->second.size() == which.from, "a chunk is asked for piece by piece");
  if (data.empty()) return arrival::empty;
  // A peer that gave less than a whole piece could make a chunk as slow as it likes.
  if (chunk_bytes > max_chunk_bytes || which.from >= chunk_bytes ||
      data.size() != std::min<std::size_t>(max_state_data_bytes, chunk_bytes - which.from)) {
    return arrival::malformed;
  }
  auto& here = part->second;
  here.insert(here.end(), data.begin(), data.end());
  of.moved_ms = now_ms;
  if (here.size() < chunk_bytes) return arrival::kept;
  of.whole = whole_chunk{giver, std::move(here)};
  of.parts.clear();
  return arrival::completed;
}

const chunk_window::whole_chunk* chunk_window::first() const {
  const auto at = slots_.find(front_);
  return at != slots_.end() && at->second.whole ? &*at->second.whole : nullptr;
}

void chunk_window::pop() {
  SOMA_ASSERT(first() != nullptr, "the window moves on behind a whole chunk");
  slots_.erase(front_++);
}

void chunk_window::forget(peer_number peer) {
  askings_.erase(peer);
  for (auto& [number, of] : slots_) of.parts.erase(peer);
  std::erase_if(slots_,
                [](const auto& one) { return one.second.parts.empty() && !one.second.whole; });
}

void chunk_window::drop_chunks_of(const public_key& giver) {
  std::erase_if(slots_, [&](const auto& one) {
    return one.second.whole && one.second.whole->giver == giver;
  });
}

std::size_t chunk_window::held_bytes() const {
  std::size_t held = 0;
  for (const auto& [number, of] : slots_) {
    if (of.whole) held += of.whole->data.size();
    for (const auto& [peer, data] : of.parts) held += data.size();
  }
  for (const auto& [peer, mine] : askings_) held += mine.open.size() * max_state_data_bytes;
  return held;
}

}  // namespace soma::state_sync
