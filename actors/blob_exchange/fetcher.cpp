#include "actors/blob_exchange/fetcher.hpp"

#include <algorithm>

#include "messages/values/assert.hpp"

namespace soma::blob_exchange {
namespace {

/// The place in the pairs of sets: blobs with a deadline come first.
std::size_t rank_of(std::uint64_t until_ms) {
  return until_ms == no_deadline ? 1 : 0;
}

}  // namespace

fetcher::fetcher(shelf& blobs, fetcher_options options)
    : blobs_(blobs), options_(options), seeks_left_(options.most_seeks) {
  SOMA_ASSERT(options_.most_begun >= 2, "a place for blobs with a deadline, and one without");
}

std::vector<fetcher::effect> fetcher::step(const event& next, std::uint64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  std::visit([&](const auto& e) { on(e); }, next);
  expire();
  give_places_up();
  seek_due();
  begin_ready();
  while (in_flight_ < options_.all_in_flight && ask_next()) {
  }
  SOMA_ASSERT(begun_.size() <= options_.most_begun, "a bounded number of blobs at once");
  return std::exchange(effects_, {});
}

// ---- events

void fetcher::on(const peer_connected& e) {
  peers_.emplace(e.peer, source{});
  for (auto& [blob, w] : wants_) {
    if (!w.holders.empty()) continue;
    w.seek_pause_ms = 0;
    plan_seek(blob, w, std::min(w.seek_at_ms, now_ms_));
  }
}

void fetcher::on(const peer_gone& e) {
  drop_peer(e.peer);
}

void fetcher::on(const received& e) {
  if (!peers_.contains(e.peer)) return;
  if (const auto* said = std::get_if<peer::have>(&e.message)) heard_of(e.peer, *said);
  if (const auto* part = std::get_if<peer::part>(&e.message)) took(e.peer, *part);
}

void fetcher::on(const wanted& e) {
  if (const auto size = blobs_.size_of_complete(e.blob)) {
    const auto end = *size == e.size_bytes ? fetch_end::here : fetch_end::other_size;
    effects_.push_back(done{e.blob, end});
    return;
  }
  if (e.size_bytes == 0 || e.size_bytes > max_exchanged_blob_bytes) {
    effects_.push_back(done{e.blob, fetch_end::other_size});  // no blob has such a size
    return;
  }
  if (const auto known = wants_.find(e.blob); known != wants_.end()) {
    auto& w = known->second;
    if (e.until_ms >= w.until_ms) return;
    remove_plans(e.blob, w);
    w.until_ms = e.until_ms;
    plan_seek(e.blob, w, w.seek_at_ms);
    if (w.at == stage::sought && !w.holders.empty()) {
      ready_[rank_of(w.until_ms)].emplace(w.until_ms, e.blob);
    }
    return;
  }
  if (wants_.size() >= options_.most_wants) return;
  auto& w = wants_[e.blob];
  w.size_bytes = e.size_bytes;
  w.until_ms = e.until_ms;
  plan_seek(e.blob, w, now_ms_);
}

void fetcher::on(const not_wanted& e) {
  const auto known = wants_.find(e.blob);
  if (known == wants_.end()) return;
  leave(e.blob, known->second);
  wants_.erase(known);
}

// ---- which blobs are sought

void fetcher::plan_seek(const blob_id& blob, want& w, std::uint64_t at_ms) {
  auto& seeks = seeks_[rank_of(w.until_ms)];
  seeks.erase({w.seek_at_ms, blob});
  w.seek_at_ms = at_ms;
  seeks.emplace(at_ms, blob);
}

void fetcher::remove_plans(const blob_id& blob, const want& w) {
  seeks_[rank_of(w.until_ms)].erase({w.seek_at_ms, blob});
  ready_[rank_of(w.until_ms)].erase({w.until_ms, blob});
}

/// Asks all peers for the blobs that nobody is known to have, those with a deadline first.
void fetcher::seek_due() {
  for (bool is_full = true; is_full && seeks_left_ > 0;) {
    peer::seek message;
    for (auto& seeks : seeks_) {
      while (!seeks.empty() && seeks.begin()->first <= now_ms_ &&
             message.blobs.size() < max_seek_blobs) {
        const auto known = wants_.find(seeks.begin()->second);
        auto& [blob, w] = *known;
        const auto size = w.at == stage::sought ? blobs_.size_of_complete(blob) : std::nullopt;
        if (size) {  // another role has put it here meanwhile
          finish(known, *size == w.size_bytes ? fetch_end::here : fetch_end::other_size);
          continue;
        }
        w.seek_pause_ms = std::clamp(2 * w.seek_pause_ms, options_.seek_ms, options_.most_seek_ms);
        plan_seek(blob, w, now_ms_ + w.seek_pause_ms);
        if (w.holders.empty()) message.blobs.push_back(blob);
      }
    }
    is_full = message.blobs.size() == max_seek_blobs;
    if (message.blobs.empty() || peers_.empty()) continue;
    std::vector<peer_number> all;
    for (const auto& [number, from] : peers_) all.push_back(number);
    effects_.push_back(send{std::move(all), std::move(message)});
    --seeks_left_;
  }
}

void fetcher::heard_of(peer_number from, const peer::have& said) {
  for (const auto& entry : said.blobs) {
    const auto known = wants_.find(entry.blob);
    if (known == wants_.end()) continue;
    auto& w = known->second;
    w.holders[from].size_bytes = entry.size_bytes;
    if (w.at == stage::listing && w.listed_bytes != w.size_bytes &&
        entry.size_bytes == w.size_bytes) {  // what the others say need not be proven first
      drop_questions(entry.blob);
      w.listed_bytes = w.size_bytes;
      w.list_from.reset();
      w.list.clear();
    }
    if (w.at == stage::sought) ready_[rank_of(w.until_ms)].emplace(w.until_ms, entry.blob);
  }
}

// ---- which blobs are fetched

std::size_t fetcher::begun_without_deadline() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      begun_, [&](const blob_id& blob) { return wants_.at(blob).until_ms == no_deadline; }));
}

void fetcher::begin_ready() {
  for (std::size_t rank = 0; rank < ready_.size(); ++rank) {
    auto& ready = ready_[rank];
    while (!ready.empty() && begun_.size() < options_.most_begun &&
           (rank == 0 || begun_without_deadline() < options_.most_begun / 2)) {
      const auto blob = ready.begin()->second;
      ready.erase(ready.begin());
      auto& w = wants_.at(blob);
      SOMA_ASSERT(w.at == stage::sought && !w.holders.empty(), "a peer says that it has the blob");
      // A peer that names another size has to prove it. The size that is wanted comes first, so
      // that a liar costs nothing while an honest peer is known.
      const auto fits = [&](const auto& one) { return one.second.size_bytes == w.size_bytes; };
      w.listed_bytes = std::ranges::any_of(w.holders, fits) ? w.size_bytes
                                                            : w.holders.begin()->second.size_bytes;
      w.at = stage::listing;
      w.moved_ms = now_ms_;
      begun_.push_back(blob);
    }
  }
}

/// A blob of which nothing comes makes room for others. It is sought again.
void fetcher::give_places_up() {
  const auto begun = begun_;
  for (const auto& blob : begun) {
    auto& w = wants_.at(blob);
    if (now_ms_ >= w.moved_ms + options_.stalled_ms) put_back(blob, w, now_ms_);
  }
}

void fetcher::put_back(const blob_id& blob, want& w, std::uint64_t seek_at_ms) {
  leave(blob, w);
  w.holders.clear();
  w.seek_pause_ms = 0;
  plan_seek(blob, w, seek_at_ms);
}

/// It is sought again later, when the disk may have room.
void fetcher::disk_failed(const blob_id& blob, want& w) {
  effects_.push_back(not_kept{blob});
  put_back(blob, w, now_ms_ + options_.disk_ms);
}

/// Ends what is under way for the blob: plans, questions, its place among those that are begun.
void fetcher::leave(const blob_id& blob, want& w) {
  remove_plans(blob, w);
  if (w.at == stage::sought) return;
  drop_questions(blob);
  SOMA_ASSERT(w.in_flight == 0, "no question about the blob is left");
  if (w.at == stage::open) blobs_.put_aside(blob);
  w.at = stage::sought;
  w.list_from.reset();
  w.list = {};
  w.missing.clear();
  std::erase(begun_, blob);
}

void fetcher::finish(wants_map::iterator at, fetch_end how) {
  const auto blob = at->first;
  leave(blob, at->second);
  wants_.erase(at);
  effects_.push_back(done{blob, how});
}

}  // namespace soma::blob_exchange
