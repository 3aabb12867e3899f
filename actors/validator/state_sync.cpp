#include "actors/validator/state_sync.hpp"

#include <algorithm>
#include <charconv>

#include "actors/rules/genesis_state.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/codec.hpp"

namespace soma::actors {
namespace {

namespace fs = std::filesystem;

/// Questions that came to nothing, until nobody waits for a peer any more.
constexpr unsigned patience = 2;
/// Answers "later" in a row that count as a question that came to nothing.
constexpr unsigned most_put_off = 120;

std::vector<committee_seat> first_seats(const genesis& born) {
  for (const auto& row : rules::genesis_rows(born)) {
    if (row.key == committee_key()) return decode_own<committee_row>(*row.value).value().seats;
  }
  SOMA_ASSERT(false, "a genesis has a committee");
  return {};
}

/// More pieces than any honest peer cuts a ledger into, however its rows lie.
std::uint64_t most_chunks(const state_totals& totals) {
  return 256 + 8 * (totals.bytes / chunk_row_bytes + 1);
}

std::optional<block_height> kept_in(const fs::path& staging) {
  std::error_code none;
  std::optional<block_height> latest;
  for (const auto& entry : fs::directory_iterator(staging, none)) {
    const auto name = entry.path().filename().string();
    block_height height;
    const auto* end = name.data() + name.size();
    const auto read = std::from_chars(name.data(), end, height.value);
    if (read.ec == std::errc() && read.ptr == end)
      latest = std::max(latest.value_or(height), height);
  }
  return latest;
}

}  // namespace

state_sync::state_sync(const genesis& born, fs::path staging, consensus::signature_checker& checker,
                       state_sync_options options)
    : born_(born),
      staging_(std::move(staging)),
      checker_(checker),
      options_(options),
      kept_(kept_in(staging_)) {
  first_.reset(new history{
      nullptr,
      consensus::light_client(crypto::chain_id_of(born), epoch_number{}, first_seats(born)),
      {},
      {}});
}

/// One after the other: a long history must not be undone by recursion.
state_sync::~state_sync() {
  std::vector<std::unique_ptr<history>> all;
  all.push_back(std::move(first_));
  while (!all.empty()) {
    const auto last = std::move(all.back());
    all.pop_back();
    for (auto& next : last->next) all.push_back(std::move(next));
  }
}

std::vector<state_sync::effect> state_sync::step(const event& what, std::uint64_t now_ms) {
  if (outcome_ != outcome::running) return {};
  now_ms_ = now_ms;
  std::visit([&](const auto& e) { on(e); }, what);
  settle();
  return std::exchange(effects_, {});
}

state_sync::progress state_sync::where() const {
  progress at;
  at.peers = peers_.size();
  for (const auto& [number, who] : peers_) {
    at.epochs = std::max(at.epochs, who.at->after.epoch().value);
    if (number == giver_) at.chunks = who.chunks;
  }
  if (target_ == nullptr) return at;
  at.height = target_->end->headers.front().height;
  at.chunks_here = receiver_->next();
  return at;
}

std::optional<block_header> state_sync::header() const {
  return target_ == nullptr ? std::nullopt : std::optional(target_->end->headers.front());
}

expected<void, std::string> state_sync::finish(const fs::path& ledger,
                                               storage::ledger_options options) const {
  SOMA_ASSERT(outcome_ == outcome::complete, "all chunks are here");
  epoch_ends ends;  // all of them: who takes the ledger over from here proves them in turn
  for (const auto* at = target_; at->before != nullptr; at = at->before) {
    ends.emplace(at->end->headers.front().epoch, *at->end);
  }
  auto done = receiver_->finish(ledger, born_, ends, options);
  if (done) fs::remove_all(staging_);
  return done;
}

// ---- what happens

void state_sync::on(const peer_connected& e) {
  if (liars_.contains(e.key)) return;
  whom who;
  who.key = e.key;
  who.at = first_.get();
  peers_.insert_or_assign(e.peer, std::move(who));
  if (!first_peer_ms_) first_peer_ms_ = now_ms_;
}

void state_sync::on(const peer_gone& e) {
  peers_.erase(e.peer);
  if (giver_ == e.peer) giver_ = 0;
}

void state_sync::on(const received& e) {
  const auto from = peers_.find(e.peer);
  const auto* part = std::get_if<peer::state_part>(&e.what);
  if (from == peers_.end() || part == nullptr) return;
  took(e.peer, from->second, *part);
}

void state_sync::took(peer_number number, whom& from, const peer::state_part& part) {
  if (!from.open) return;
  const auto asked = from.open->what;
  if (part.epoch != asked.epoch || part.chunk != asked.chunk || part.from != asked.from) return;
  from.open.reset();
  if (part.later) {
    from.not_before_ms = now_ms_ + options_.later_ms;
    if (++from.put_off >= most_put_off) miss(from);
    return;
  }
  from.put_off = 0;
  if (part.height != from.snapshot) {
    from.cuts_else = false;
    from.has_told_all = false;
  }
  from.snapshot = part.height;
  from.chunks = part.chunks;
  if (asked.height.value == 0) return took_end(number, from, part);
  if (part.height == asked.height) return took_piece(number, from, part);
  if (giver_ == number) giver_ = 0;  // it has another snapshot now
}

void state_sync::took_end(peer_number number, whom& from, const peer::state_part& part) {
  from.misses = 0;
  if (part.end) {
    const auto next = follow(*from.at, *part.end);
    if (!next) return liar(number, next.error());
    from.at = *next;
    from.has_told_all = false;
    from.not_before_ms = now_ms_;
    return;
  }
  from.has_told_all = true;
  from.not_before_ms = now_ms_ + options_.refresh_ms;
  if (from.snapshot.value != 0 && offered_by(from) == nullptr) {
    liar(number, "it names a snapshot of a block that it cannot prove to end an epoch");
  }
}

/// Proofs that were checked before are not checked again, whoever brings them.
expected<state_sync::history*, std::string> state_sync::follow(history& at,
                                                               const epoch_proof& end) {
  for (const auto& known : at.next) {
    if (known->end->headers.front() == end.headers.front() &&
        known->end->next_committee == end.next_committee) {
      return known.get();
    }
  }
  auto after = at.after;
  if (const auto proven = after.next_epoch(end, checker_); !proven) {
    return make_unexpected("its proof of how an epoch ended: " +
                           std::string(to_text(proven.error())));
  }
  const auto& closing = end.headers.front();
  if (options_.trusted && options_.trusted->epoch == closing.epoch &&
      options_.trusted->block != crypto::id_of(closing)) {
    return make_unexpected(std::string("its history lacks the block that is known here"));
  }
  at.next.emplace_back(new history{&at, std::move(after), end, {}});
  return at.next.back().get();
}

void state_sync::took_piece(peer_number number, whom& from, const peer::state_part& part) {
  if (giver_ != number) return;
  if (part.data.empty()) return miss(from);
  if (part.chunk_bytes > max_chunk_bytes || part.from + part.data.size() > part.chunk_bytes) {
    return liar(number, "a piece that is larger than its chunk, or a chunk larger than any");
  }
  chunk_.insert(chunk_.end(), part.data.begin(), part.data.end());
  if (chunk_.size() == part.chunk_bytes) took_chunk(number, from);
}

void state_sync::took_chunk(peer_number number, whom& from) {
  const auto taken = receiver_->take(chunk_);
  chunk_.clear();
  if (!taken) {
    // Where a ledger is cut is a peer's choice: those that do not fit may be right.
    if (taken.error() == chunk_refusal::not_next && receiver_->next() > 0) {
      from.cuts_else = true;
      giver_ = 0;
      return;
    }
    return liar(number, std::string(to_text(taken.error())));
  }
  from.fruitless = 0;
  givers_.insert(from.key);
  if (receiver_->passed() > furthest_) {
    furthest_ = receiver_->passed();
    moved_ms_ = now_ms_;
  }
  if (receiver_->complete()) {
    outcome_ = outcome::complete;
  } else if (receiver_->next() >= most_chunks(*receiver_->totals())) {
    liar(number, "it cuts the ledger into more chunks than anybody would");
  }
}

/// A question came to nothing.
void state_sync::miss(whom& who) {
  who.open.reset();
  who.put_off = 0;
  who.misses += 1;
  who.not_before_ms = now_ms_ + options_.refresh_ms;
  const auto giver = peers_.find(giver_);
  if (giver == peers_.end() || &giver->second != &who) return;
  who.fruitless += 1;
  giver_ = 0;
}

void state_sync::liar(peer_number number, std::string why) {
  const auto who = peers_.find(number);
  liars_.insert(who->second.key);
  peers_.erase(who);
  if (giver_ == number) giver_ = 0;
  effects_.push_back(blame{number, std::move(why)});
}

// ---- what follows

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

/// The end of an epoch whose snapshot it says it has, if it has proven it.
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

/// All have said what they know, or have had the time for it.
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
    if (peers_.empty()) moved_ms_ = now_ms_;  // time alone that nobody is there to use
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
    // One may be being written, unless nobody has come to the end of any epoch.
    const auto wait_ms = first_->next.empty() ? 0 : options_.nothing_ms;
    if (now_ms_ >= *nothing_since_ms_ + wait_ms) outcome_ = outcome::no_snapshot;
    return;
  }
  if (is_fork_below(*best)) {
    outcome_ = outcome::contradiction;
    return;
  }
  // Whoever has what was begun may come back; what is older is not worth losing it, at once.
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

/// Those that can go on cut the ledger in another way than those that were asked first: one of them
/// is odd. What is here goes, and those that gave it are asked last.
void state_sync::begin_again_for_cuts() {
  for (auto& [number, who] : peers_) {
    if (givers_.contains(who.key)) who.fruitless += 1;
  }
  receiver_.reset();
  fs::remove_all(staging_);
  tell("the chunks that are here fit nobody's any more");
  begin(*target_);
}

/// Those whose chunks fit have had their time, and there are others.
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
  const whom* best = nullptr;
  for (const auto& [number, who] : peers_) {
    if (!can_give(who) || who.cuts_else || who.open || now_ms_ < who.not_before_ms) continue;
    if (best != nullptr && best->fruitless <= who.fruitless) continue;
    best = &who;
    giver_ = number;
  }
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

void state_sync::ask(peer_number number, whom& who, const peer::ask_state& what) {
  who.open = question{what, now_ms_ + options_.answer_ms};
  effects_.push_back(send{number, what});
}

}  // namespace soma::actors
