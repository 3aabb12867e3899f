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
      // The peer that was asked may be silent, so another one is asked for the first page as well.
      if (w.placed > 0 || !w.list.empty()) continue;
      w.list_from.reset();
    }
    const auto from = source_for(w);
    if (!from) continue;
    peer::blob_part about{blob, w.at == stage::listing, 0};
    if (about.of_list) {
      w.list_from = from;
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

bool fetcher::is_proven(const source& from) const {
  return from.gave_ms && now_ms_ < *from.gave_ms + options_.proven_ms;
}

/// A peer that has not given anything lately is asked for one part at a time, and only while such
/// peers leave half of the places free.
bool fetcher::may_ask(const source& from) const {
  const bool is_trial = !is_proven(from);
  if (is_trial && trials_ >= std::max<std::size_t>(options_.all_in_flight / 2, 1)) return false;
  const auto most = is_trial ? 1 : options_.peer_in_flight;
  return from.not_before_ms <= now_ms_ && from.open.size() < most &&
         (from.second != now_ms_ / 1'000 || from.questions < options_.peer_questions_per_s);
}

/// The peer to ask next: of those that gave something lately the one that answers fastest. Of the
/// others those come first that have not failed, and of these the one that was asked longest ago,
/// so that all are tried in turn. What a peer has given in all does not count: a peer that gives
/// nothing would come first for ever. A list comes from one peer, because only a whole list shows
/// who has lied. Peers that say a size that is not wanted have to prove it, after the others.
std::optional<peer_number> fetcher::source_for(const want& w) const {
  std::optional<std::tuple<bool, bool, unsigned, std::size_t, std::uint64_t, peer_number>> best;
  for (const auto& [number, who] : w.holders) {
    if (who.not_before_ms > now_ms_) continue;
    const bool is_size_open = w.at == stage::listing && w.list.empty();
    if (!is_size_open && who.size_bytes != w.listed_bytes) continue;
    if (w.at == stage::listing && w.list_from && *w.list_from != number) continue;
    const auto& from = peers_.at(number);
    if (!may_ask(from)) continue;
    const bool is_trial = !is_proven(from);
    const std::tuple rank{is_trial,         !w.sizes.contains(who.size_bytes),        from.silent,
                          from.open.size(), is_trial ? from.asked_ms : from.delay_ms, number};
    if (!best || rank < *best) best = rank;
  }
  if (!best) return std::nullopt;
  return std::get<5>(*best);
}

void fetcher::ask(peer_number number, const peer::blob_part& about, want& w) {
  auto& asked = peers_.at(number);
  const bool is_trial = !is_proven(asked);
  asked.open.push_back({about, w.holders.at(number).size_bytes, now_ms_, is_trial});
  asked.asked_ms = now_ms_;
  if (is_trial) ++trials_;
  if (asked.second != now_ms_ / 1'000) asked.questions = 0;
  asked.second = now_ms_ / 1'000;
  ++asked.questions;
  ++in_flight_;
  ++w.in_flight;
  ++w.placed;
  w.turn = ++turns_;
  effects_.push_back(send{{number}, peer::get{about}});
}

/// The question holds no place any more.
void fetcher::free_place(question& held) {
  if (!std::exchange(held.holds_place, false)) return;
  SOMA_ASSERT(in_flight_ > 0 && trials_ <= in_flight_, "the question was counted");
  --in_flight_;
  if (held.is_trial) --trials_;
  auto& w = wants_.at(held.about.blob);
  SOMA_ASSERT(w.placed > 0, "a blob is not left before its questions");
  --w.placed;
}

/// Takes a question off the counts. A chunk that was not answered can be asked for again.
void fetcher::end_question(question& ended, bool is_answered) {
  if (ended.is_moot) return;
  const bool held_place = ended.holds_place;
  free_place(ended);
  auto& w = wants_.at(ended.about.blob);
  SOMA_ASSERT(w.in_flight > w.placed, "the question was counted");
  --w.in_flight;
  if (held_place && !is_answered && !ended.about.of_list && w.lacks[ended.about.number]) {
    w.missing.push_front(ended.about.number);
  }
}

/// The blob has no use for the answers any more. The peers that were asked are still busy with
/// them.
void fetcher::drop_questions(const blob_id& blob) {
  for (auto& [number, from] : peers_) {
    for (auto& open : from.open) {
      if (open.about.blob != blob) continue;
      end_question(open, false);
      open.is_moot = true;
    }
  }
}

/// What was asked for too long ago is asked elsewhere as well. It comes after the parts that were
/// not asked for yet, so that slow peers do not all send the same part while others are missing.
void fetcher::give_up_places() {
  for (auto& [number, from] : peers_) {
    for (auto& open : from.open) {
      if (!open.holds_place || now_ms_ < open.asked_ms + options_.hedge_ms) continue;
      from.delay_ms = std::max(from.delay_ms, now_ms_ - open.asked_ms);
      free_place(open);
      auto& w = wants_.at(open.about.blob);
      if (!open.about.of_list && w.lacks[open.about.number]) {
        w.missing.push_back(open.about.number);
      }
    }
  }
}

void fetcher::expire() {
  std::vector<std::pair<peer_number, question>> late;
  for (auto& [number, from] : peers_) {
    std::erase_if(from.open, [&](const question& open) {
      if (now_ms_ < open.asked_ms + options_.answer_ms) return false;
      late.emplace_back(number, open);
      return true;
    });
  }
  for (auto& [number, open] : late) {
    end_question(open, false);
    auto& from = peers_.at(number);
    from.not_before_ms = now_ms_ + (options_.answer_ms << std::min(from.silent, most_doublings));
    from.gave_ms.reset();
    ++from.silent;
    if (!open.is_moot) miss(number, open.about.blob);
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
  for (auto& open : found->second.open) end_question(open, false);
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
  if (asked == giver.open.end()) return;  // it is later than answer_ms, or was never asked for
  auto answered = *asked;
  giver.open.erase(asked);
  const bool has_data = !part.later && !part.data.empty();
  end_question(answered, has_data);
  if (part.later) return took_later(from, answered);
  giver.put_off = 0;
  if (answered.is_moot) return;
  const auto at = wants_.find(answered.about.blob);
  if (!has_data) return lose_holder(from, at->first, at->second);
  const auto delay_ms = now_ms_ - answered.asked_ms;
  giver.delay_ms = giver.delay_ms == 0 ? delay_ms : (3 * giver.delay_ms + delay_ms) / 4;
  if (answered.about.of_list) return took_page(from, at, answered, part.data);
  took_chunk(from, at, part);
}

/// "Later" costs nothing when it comes soon. A peer that makes the home wait for it, or says it
/// again and again, has failed a question as if it were silent.
void fetcher::took_later(peer_number from, const question& answered) {
  auto& giver = peers_.at(from);
  const auto delay_ms = now_ms_ - answered.asked_ms;
  giver.not_before_ms = now_ms_ + std::max(options_.later_ms, delay_ms);
  if (delay_ms >= options_.hedge_ms) {
    ++giver.silent;
  } else {
    if (++giver.put_off < most_put_off) return;
    giver.put_off = 0;
  }
  giver.gave_ms.reset();
  if (!answered.is_moot) miss(from, answered.about.blob);
}

/// Bytes that are proven to be right have come from the peer.
void fetcher::gave(peer_number from, want& w) {
  auto& giver = peers_.at(from);
  giver.gave_ms = now_ms_;
  giver.silent = 0;
  if (const auto who = w.holders.find(from); who != w.holders.end()) who->second.misses = 0;
  w.moved_ms = now_ms_;
}

void fetcher::took_page(peer_number from, wants_map::iterator at, const question& asked,
                        const bytes& page) {
  auto& [blob, w] = *at;
  if (w.at != stage::listing || asked.about.number != w.list.size() / list_page_hashes) return;
  if (w.list_from != from) {  // it was asked before the present one, and is still the first
    if (!w.list.empty()) return;
    w.list_from = from;
  }
  if (w.list.empty()) w.listed_bytes = asked.listed_bytes;
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
  gave(from, w);
  if (!w.sizes.contains(w.listed_bytes)) {
    return finish(at, fetch_end::other_size, w.listed_bytes);
  }
  const auto begun = blobs_.begin(w.listed_bytes, w.list);
  if (!begun) return refused_by_disk(blob, w);
  drop_questions(blob);  // others were asked for the list, too
  w.at = stage::open;
  w.list = {};
  w.missing.assign(begun->missing.begin(), begun->missing.end());
  w.unread.assign(begun->unread.rbegin(), begun->unread.rend());
  w.lacking = w.missing.size() + w.unread.size();
  w.lacks.assign(chunks, false);
  for (const auto* numbers : {&begun->missing, &begun->unread}) {
    for (const auto number : *numbers) w.lacks[number] = true;
  }
  if (w.lacking == 0) end_blob(at);
}

void fetcher::took_chunk(peer_number from, wants_map::iterator at, const peer::part& part) {
  auto& [blob, w] = *at;
  SOMA_ASSERT(w.at == stage::open, "a chunk is asked for when its list is known");
  const auto number = part.answered.number;
  if (!w.lacks[number]) return;  // another peer has given it meanwhile
  switch (blobs_.put(blob, number, part.data)) {
    case put_result::wrong:
      if (std::ranges::find(w.missing, number) == w.missing.end()) w.missing.push_front(number);
      return liar(from, "the bytes of a chunk are not those of its blob");
    case put_result::failed:
      return refused_by_disk(blob, w);
    case put_result::kept:
      break;
  }
  gave(from, w);
  w.lacks[number] = false;
  --w.lacking;
  std::erase(w.missing, number);
  if (w.lacking == 0) end_blob(at);
}

/// Reads a few of the chunks that may be here from before the process started.
void fetcher::read_again() {
  const auto begun = begun_;
  auto may_read = options_.most_reads;
  for (const auto& blob : begun) {
    const auto at = wants_.find(blob);
    auto& w = at->second;
    if (w.unread.empty()) continue;
    for (; may_read > 0 && !w.unread.empty(); --may_read) {
      const auto number = w.unread.back();
      w.unread.pop_back();
      w.moved_ms = now_ms_;
      if (blobs_.read_again(blob, number)) {
        w.lacks[number] = false;
        --w.lacking;
      } else {
        w.missing.push_back(number);
      }
    }
    if (w.lacking == 0) end_blob(at);
  }
}

/// All chunks of the blob are here.
void fetcher::end_blob(wants_map::iterator at) {
  auto& [blob, w] = *at;
  const bool is_whole = blobs_.finish(blob);
  w.at = stage::listing;  // the shelf has closed it
  if (is_whole) return finish(at, fetch_end::here, w.listed_bytes);
  refused_by_disk(blob, w);
}

}  // namespace soma::blob_exchange
