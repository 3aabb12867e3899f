#include "actors/state_sync/state_sync.hpp"

#include <algorithm>
#include <charconv>

#include "actors/rules/genesis_state.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"

namespace soma::state_sync {
namespace {

namespace fs = std::filesystem;

/// So many pauses in a row after an answer "later" count as one question that failed.
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
      kept_(kept_in(staging_)),
      window_(options.window) {
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
    if (can_give(who) && !who.cuts_else) at.chunks = std::max(at.chunks, who.chunks);
  }
  if (target_ == nullptr) return at;
  at.height = target_->end->headers.front().height;
  at.chunks_here = receiver_->next();
  return at;
}

std::optional<block_header> state_sync::header() const {
  return target_ == nullptr ? std::nullopt : std::optional(target_->end->headers.front());
}

expected<state_tree::tree, std::string> state_sync::finish(const fs::path& ledger,
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
  window_.forget(e.peer);
}

void state_sync::on(const received& e) {
  const auto from = peers_.find(e.peer);
  const auto* part = std::get_if<peer::state_part>(&e.message);
  if (from == peers_.end() || part == nullptr) return;
  took(e.peer, from->second, *part);
}

void state_sync::took(peer_number number, whom& from, const peer::state_part& part) {
  // A peer is asked for ends or for pieces, and for nothing else until it has answered.
  const bool is_end = from.open && part.epoch == from.open->request.epoch &&
                      part.chunk == from.open->request.chunk &&
                      part.from == from.open->request.from;
  const bool is_piece = !from.open && target_ != nullptr &&
                        part.epoch == target_->end->headers.front().epoch &&
                        window_.is_asked(number, {part.chunk, part.from});
  if (!is_end && !is_piece) return;
  if (is_end) from.open.reset();
  if (part.later) {
    if (is_piece) window_.put_off(number, {part.chunk, part.from}, now_ms_);
    return took_later(number, from);
  }
  from.put_off = 0;
  if (part.height != from.snapshot) {
    from.cuts_else = false;
    from.has_told_all = false;
  }
  from.snapshot = part.height;
  from.chunks = part.chunks;
  if (is_end) return took_end(from, part);
  if (part.height == target_->end->headers.front().height) return took_piece(number, from, part);
  window_.forget(number);  // this peer has another snapshot now
}

/// A peer above its limits answers "later" to all questions that wait. Together they are one.
void state_sync::took_later(peer_number number, whom& from) {
  if (now_ms_ < from.not_before_ms) return;
  from.not_before_ms = now_ms_ + options_.later_ms;
  if (++from.put_off >= most_put_off) miss(number, from);
}

void state_sync::took_end(whom& from, const peer::state_part& part) {
  from.misses = 0;
  if (part.end) {
    const auto next = follow(*from.at, *part.end);
    if (!next) return liar(from.key, next.error());
    from.at = *next;
    from.has_told_all = false;
    from.ends_not_before_ms = now_ms_;
    return;
  }
  from.has_told_all = true;
  from.ends_not_before_ms = now_ms_ + options_.refresh_ms;
  if (from.snapshot.value != 0 && offered_by(from) == nullptr) {
    liar(from.key, "it names a snapshot of a block that it cannot prove to end an epoch");
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
  switch (window_.take(number, from.key, {part.chunk, part.from}, part.data, part.chunk_bytes,
                       now_ms_)) {
    case chunk_window::arrival::unasked:
    case chunk_window::arrival::kept:
      return;
    case chunk_window::arrival::completed:
      return take_chunks();
    case chunk_window::arrival::malformed:
      return liar(from.key, "a piece that is not as long as it has to be, or a chunk too large");
    case chunk_window::arrival::empty:  // the peer has fewer chunks than these, or gives none
      if (receiver_->next() == 0) return miss(number, from);
      from.cuts_else = true;
      window_.forget(number);
  }
}

void state_sync::take_chunks() {
  while (const auto* first = window_.first()) {
    const auto giver = first->giver;
    if (const auto taken = receiver_->take(first->data); !taken) {
      return refused(giver, taken.error());
    }
    window_.pop();
    last_giver_ = giver;
    if (receiver_->passed() > furthest_) {
      // Chunks that are sent again after a new beginning do not count for their giver.
      if (auto* who = holder_of(giver)) who->fruitless = 0;
      furthest_ = receiver_->passed();
      moved_ms_ = now_ms_;
    }
    if (receiver_->complete()) {
      outcome_ = outcome::complete;
      return;
    }
    if (receiver_->next() >= most_chunks(*receiver_->totals())) {
      return liar(giver, "it cuts the ledger into more chunks than anybody would");
    }
  }
}

/// What else the giver has given is not looked at.
void state_sync::refused(const public_key& giver, chunk_refusal why) {
  // Each peer may cut the ledger in its own way, so chunks that do not fit may still be right.
  if (why != chunk_refusal::not_next || receiver_->next() == 0) {
    return liar(giver, std::string(to_text(why)));
  }
  if (auto* who = holder_of(giver)) who->cuts_else = true;
  window_.drop_chunks_of(giver);
}

/// Counts a question that failed.
void state_sync::miss(peer_number number, whom& who) {
  who.open.reset();
  who.put_off = 0;
  who.misses += 1;
  who.not_before_ms = now_ms_ + options_.refresh_ms;
  if (!window_.is_busy(number)) return;
  who.fruitless += 1;
  window_.forget(number);
}

/// The connected peer with this key; nullptr when it has left.
state_sync::whom* state_sync::holder_of(const public_key& key) {
  const auto found =
      std::ranges::find_if(peers_, [&](const auto& one) { return one.second.key == key; });
  return found == peers_.end() ? nullptr : &found->second;
}

/// A peer that has left already is not heard when it comes back.
void state_sync::liar(public_key key, std::string why) {
  liars_.insert(key);
  window_.drop_chunks_of(key);
  for (auto who = peers_.begin(); who != peers_.end();) {
    if (who->second.key != key) {
      ++who;
      continue;
    }
    window_.forget(who->first);
    effects_.push_back(blame{who->first, why});
    who = peers_.erase(who);
  }
}

}  // namespace soma::state_sync
