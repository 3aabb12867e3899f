// The questions to peers: which of them is asked for which part, and what becomes of the answers.
#include <algorithm>
#include <tuple>

#include "actors/blob_exchange/fetcher.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/values/assert.hpp"

namespace soma::blob_exchange {
namespace {

/// So many answers "later" in a row count as one question that failed.
constexpr unsigned most_put_off = 120;
/// A peer that does not answer is left alone for longer after each question, up to 16 times the
/// time of one.
constexpr unsigned most_doublings = 4;

static_assert(crypto::blob_chunk_bytes == max_part_bytes);

}  // namespace

/// Asks for one part: of the blob with the fewest parts under way for which a peer can be asked.
bool fetcher::ask_next() {
  std::vector<std::tuple<std::size_t, bool, std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < begun_.size(); ++i) {
    const auto& w = wants_.at(begun_[i]);
    order.emplace_back(w.in_flight, w.until_ms == no_deadline, w.turn, i);
  }
  std::ranges::sort(order);
  for (const auto& [in_flight, has_time, turn, i] : order) {
    const auto blob = begun_[i];
    auto& w = wants_.at(blob);
    if (w.at == stage::open && w.missing.empty()) continue;
    if (w.at == stage::listing && in_flight > 0) {
      // The peer that was asked may be silent, so another one is asked as well.
      if (now_ms_ < w.list_asked_ms + options_.hedge_ms || !w.list.empty()) continue;
      w.list_from.reset();
    }
    const auto from = source_for(w);
    if (!from) continue;
    peer::blob_part about{blob, w.at == stage::listing, 0};
    if (about.of_list) {
      w.list_from = from;
      w.list_asked_ms = now_ms_;
      about.number = static_cast<std::uint32_t>(w.list.size() / list_page_hashes);
    } else {
      about.number = w.missing.front();
      w.missing.pop_front();
    }
    ask(*from, about, w);
    return true;
  }
  return false;
}

/// A peer that has not given anything yet, or does not answer, is asked for one part at a time.
bool fetcher::may_ask(const source& from) const {
  const auto most = from.silent > 0 || from.given_parts == 0 ? 1 : options_.peer_in_flight;
  return from.not_before_ms <= now_ms_ && from.open.size() < most &&
         (from.second != now_ms_ / 1'000 || from.questions < options_.peer_questions_per_s);
}

/// The peer to ask next: of those that answer the one with the fewest open questions, and of these
/// the one that has given least. A list comes from one peer, because only a whole list shows who
/// has lied.
std::optional<peer_number> fetcher::source_for(const want& w) const {
  std::optional<std::tuple<unsigned, std::size_t, std::uint64_t, peer_number>> best;
  for (const auto& [number, who] : w.holders) {
    if (who.size_bytes != w.listed_bytes || who.not_before_ms > now_ms_) continue;
    if (w.at == stage::listing && w.list_from && *w.list_from != number) continue;
    const auto& from = peers_.at(number);
    if (!may_ask(from)) continue;
    const std::tuple rank{from.silent, from.open.size(), from.given_parts, number};
    if (!best || rank < *best) best = rank;
  }
  if (!best) return std::nullopt;
  return std::get<3>(*best);
}

void fetcher::ask(peer_number number, const peer::blob_part& about, want& w) {
  auto& asked = peers_.at(number);
  asked.open.push_back({about, now_ms_ + options_.answer_ms});
  if (asked.second != now_ms_ / 1'000) asked.questions = 0;
  asked.second = now_ms_ / 1'000;
  ++asked.questions;
  ++in_flight_;
  ++w.in_flight;
  w.turn = ++turns_;
  effects_.push_back(send{{number}, peer::get{about}});
}

/// Takes a question off the counts. A chunk that was not answered can be asked for again.
void fetcher::end_question(const question& ended, bool is_answered) {
  SOMA_ASSERT(in_flight_ > 0, "the question was counted");
  --in_flight_;
  auto& w = wants_.at(ended.about.blob);
  SOMA_ASSERT(w.in_flight > 0, "a blob is not left before its questions");
  --w.in_flight;
  if (!is_answered && !ended.about.of_list) w.missing.push_front(ended.about.number);
}

void fetcher::drop_questions(const blob_id& blob) {
  for (auto& [number, from] : peers_) {
    std::erase_if(from.open, [&](const question& open) {
      if (open.about.blob != blob) return false;
      end_question(open, false);
      return true;
    });
  }
}

void fetcher::expire() {
  std::vector<std::pair<peer_number, question>> late;
  for (auto& [number, from] : peers_) {
    std::erase_if(from.open, [&](const question& open) {
      if (open.until_ms > now_ms_) return false;
      late.emplace_back(number, open);
      return true;
    });
  }
  for (const auto& [number, open] : late) {
    end_question(open, false);
    auto& from = peers_.at(number);
    from.not_before_ms = now_ms_ + (options_.answer_ms << std::min(from.silent, most_doublings));
    ++from.silent;
    miss(number, open.about.blob);
  }
}

void fetcher::miss(peer_number from, const blob_id& blob) {
  auto& w = wants_.at(blob);
  const auto found = w.holders.find(from);
  if (found == w.holders.end()) return;
  if (++found->second.misses >= options_.most_misses) return lose_holder(from, blob, w);
  found->second.not_before_ms = now_ms_ + found->second.misses * options_.answer_ms;
  if (w.list_from == from) {
    w.list_from.reset();
    w.list.clear();
  }
}

/// The peer does not have the blob, whatever it said. With the last such peer the blob is sought
/// again; chunks that other peers are asked for still count.
void fetcher::lose_holder(peer_number from, const blob_id& blob, want& w) {
  if (w.holders.erase(from) == 0) return;
  if (w.list_from == from) {
    w.list_from.reset();
    w.list.clear();
  }
  if (!w.holders.empty()) return;
  ready_[w.until_ms == no_deadline ? 1 : 0].erase({w.until_ms, blob});
  w.seek_pause_ms = 0;
  plan_seek(blob, w, std::max(now_ms_, w.moved_ms + options_.seek_ms));
}

void fetcher::drop_peer(peer_number number) {
  const auto found = peers_.find(number);
  if (found == peers_.end()) return;
  for (const auto& open : found->second.open) end_question(open, false);
  peers_.erase(found);
  for (auto& [blob, w] : wants_) lose_holder(number, blob, w);
}

void fetcher::liar(peer_number number, std::string why) {
  drop_peer(number);
  effects_.push_back(blame{number, std::move(why)});
}

// ---- answers

void fetcher::took(peer_number from, const peer::part& part) {
  auto& giver = peers_.at(from);
  const auto asked = std::ranges::find(giver.open, part.answered, &question::about);
  if (asked == giver.open.end()) return;  // the answer is late, or was never asked for
  const auto open = *asked;
  giver.open.erase(asked);
  const bool is_answered = !part.later && !part.data.empty();
  giver.silent = 0;
  end_question(open, is_answered);
  const auto at = wants_.find(open.about.blob);
  if (part.later) {
    giver.not_before_ms = now_ms_ + options_.later_ms;
    if (++giver.put_off < most_put_off) return;
    giver.put_off = 0;
    return miss(from, at->first);
  }
  giver.put_off = 0;
  if (!is_answered) return lose_holder(from, at->first, at->second);
  if (open.about.of_list) return took_page(from, at, part.data);
  took_chunk(from, at, part);
}

void fetcher::took_page(peer_number from, wants_map::iterator at, const bytes& page) {
  auto& [blob, w] = *at;
  if (w.at != stage::listing) return;
  if (w.list_from != from) {  // it was asked before the present one, and is still the first
    if (!w.list.empty()) return;
    w.list_from = from;
  }
  const auto chunks = crypto::chunk_count(w.listed_bytes);
  const auto due = std::min<std::uint64_t>(list_page_hashes, chunks - w.list.size());
  if (page.size() != 32 * due) return liar(from, "a page of a blob's list has another length");
  for (std::size_t i = 0; i < due; ++i) {
    w.list.push_back(*hash256::from(byte_view(page).subspan(32 * i, 32)));
  }
  w.moved_ms = now_ms_;
  if (w.list.size() < chunks) return;
  if (crypto::blob_root(w.listed_bytes, w.list) != blob) {
    return liar(from, "the list of a blob's chunks is not that of the blob");
  }
  if (w.listed_bytes != w.size_bytes) return finish(at, fetch_end::other_size);
  const auto missing = blobs_.begin(w.listed_bytes, w.list);
  if (!missing) return disk_failed(blob, w);
  w.at = stage::open;
  w.list = {};
  w.missing.assign(missing->begin(), missing->end());
  w.holders.at(from).misses = 0;
  if (w.missing.empty()) end_blob(at);
}

void fetcher::took_chunk(peer_number from, wants_map::iterator at, const peer::part& part) {
  auto& [blob, w] = *at;
  SOMA_ASSERT(w.at == stage::open, "a chunk is asked for when its list is known");
  switch (blobs_.put(blob, part.answered.number, part.data)) {
    case put_result::wrong:
      w.missing.push_front(part.answered.number);
      return liar(from, "the bytes of a chunk are not those of its blob");
    case put_result::failed:
      return disk_failed(blob, w);
    case put_result::kept:
      break;
  }
  ++peers_.at(from).given_parts;
  if (const auto who = w.holders.find(from); who != w.holders.end()) who->second.misses = 0;
  w.moved_ms = now_ms_;
  if (w.missing.empty() && w.in_flight == 0) end_blob(at);
}

/// All chunks of the blob are here.
void fetcher::end_blob(wants_map::iterator at) {
  auto& [blob, w] = *at;
  const bool is_whole = blobs_.finish(blob);
  w.at = stage::listing;  // the shelf has closed it
  if (is_whole) return finish(at, fetch_end::here);
  disk_failed(blob, w);
}

}  // namespace soma::blob_exchange
