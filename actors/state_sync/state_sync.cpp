#include "actors/state_sync/state_sync.hpp"

#include <algorithm>
#include <charconv>

#include "actors/rules/genesis_state.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"

namespace soma::state_sync {
namespace {

namespace fs = std::filesystem;

/// So many answers "later" in a row count as one question that failed.
constexpr unsigned most_put_off = 120;

std::vector<committee_seat> first_seats(const soma::genesis& genesis) {
  for (const auto& row : rules::genesis_rows(genesis)) {
    if (row.key == committee_key()) return decode_own<committee_row>(*row.value).value().seats;
  }
  SOMA_ASSERT(false, "a genesis has a committee");
  return {};
}

/// An upper bound of the chunks into which an honest peer cuts a ledger with these totals.
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

state_sync::state_sync(const soma::genesis& genesis, fs::path staging,
                       consensus::signature_checker& checker, state_sync_options options)
    : genesis_(genesis),
      staging_(std::move(staging)),
      checker_(checker),
      options_(options),
      kept_(kept_in(staging_)) {
  first_.reset(new history{
      nullptr,
      consensus::light_client(signing::chain_id_of(genesis), epoch_number{}, first_seats(genesis)),
      {},
      {}});
}

/// Frees the tree one node after the other, since recursion over a long history needs too much
/// stack.
state_sync::~state_sync() {
  std::vector<std::unique_ptr<history>> all;
  all.push_back(std::move(first_));
  while (!all.empty()) {
    const auto last = std::move(all.back());
    all.pop_back();
    for (auto& next : last->next) all.push_back(std::move(next));
  }
}

std::vector<state_sync::effect> state_sync::step(const event& next, std::uint64_t now_ms) {
  if (outcome_ != outcome::running) return {};
  now_ms_ = now_ms;
  std::visit([&](const auto& e) { on(e); }, next);
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
                                               tables::ledger_options options) const {
  SOMA_ASSERT(outcome_ == outcome::complete, "all chunks are here");
  // All ends are kept: a peer that takes the ledger over from this node needs the proofs in turn.
  epoch_ends ends;
  for (const auto* at = target_; at->before != nullptr; at = at->before) {
    ends.emplace(at->end->headers.front().epoch, *at->end);
  }
  auto done = receiver_->finish(ledger, genesis_, ends, options);
  if (done) fs::remove_all(staging_);
  return done;
}

// ---- events

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
  const auto* part = std::get_if<peer::state_part>(&e.message);
  if (from == peers_.end() || part == nullptr) return;
  took(e.peer, from->second, *part);
}

void state_sync::took(peer_number number, whom& from, const peer::state_part& part) {
  if (!from.open) return;
  const auto asked = from.open->request;
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
  if (giver_ == number) giver_ = 0;  // this peer has another snapshot now
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

/// A proof that was checked before is not checked again when another peer brings it.
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
      options_.trusted->block != signing::id_of(closing)) {
    return make_unexpected(std::string("its history lacks the block that is known here"));
  }
  at.next.emplace_back(new history{&at, std::move(after), end, {}});
  return at.next.back().get();
}

void state_sync::took_piece(peer_number number, whom& from, const peer::state_part& part) {
  if (giver_ != number) return;
  if (part.data.empty()) {  // the peer has fewer chunks than these, or gives none
    if (receiver_->next() == 0) return miss(from);
    from.cuts_else = true;
    giver_ = 0;
    return;
  }
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
    // Each peer may cut the ledger in its own way, so chunks that do not fit may still be right.
    if (taken.error() == chunk_refusal::not_next && receiver_->next() > 0) {
      from.cuts_else = true;
      giver_ = 0;
      return;
    }
    return liar(number, std::string(to_text(taken.error())));
  }
  givers_.insert(from.key);
  if (receiver_->passed() > furthest_) {
    from.fruitless = 0;  // not for chunks that are sent again after a new beginning
    furthest_ = receiver_->passed();
    moved_ms_ = now_ms_;
  }
  if (receiver_->complete()) {
    outcome_ = outcome::complete;
  } else if (receiver_->next() >= most_chunks(*receiver_->totals())) {
    liar(number, "it cuts the ledger into more chunks than anybody would");
  }
}

/// Counts a question that failed.
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

}  // namespace soma::state_sync
