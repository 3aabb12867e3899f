#include "actors/consensus/simplex.hpp"

#include <algorithm>

#include "actors/consensus/simplex_core.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::consensus {

simplex::simplex(const chain_position& base, recalled past, ports access, simplex_options options)
    : core_(std::make_unique<core>(base, std::move(past), access, options)) {}
simplex::~simplex() = default;
simplex::simplex(simplex&&) noexcept = default;

std::vector<effect> simplex::step(const event& e, std::uint64_t now_ms) {
  SOMA_ASSERT(core_->out.empty(), "the effects of one event are given out with it");
  core_->now_ms = now_ms;
  core_->step(e);
  return std::exchange(core_->out, {});
}

epoch_number simplex::epoch() const {
  return core_->base.epoch;
}
view_number simplex::view() const {
  return core_->cur;
}
const chain_position& simplex::base() const {
  return core_->base;
}
const committee& simplex::members() const {
  return core_->members;
}
signing_state simplex::signing() const {
  return core_->signing.state();
}
bool simplex::may_sign() const {
  return core_->signing.may_sign();
}
bool simplex::fenced() const {
  return core_->signing.is_fenced();
}
bool simplex::mute() const {
  return core_->signing.is_mute();
}
bool simplex::alarmed() const {
  return core_->signing.is_alarmed();
}
std::size_t simplex::unfinalized_blocks() const {
  return core_->blocks.size();
}
const certificate* simplex::held(view_number view, vote_kind kind) const {
  return core_->held(view, kind);
}

std::size_t simplex::held_bytes() const {
  std::size_t total = 0;
  for (const auto& [view, state] : core_->views) total += state.held_bytes();
  for (const auto& [id, b] : core_->blocks) total += held_bytes_of(b.block->block);
  return total + core_->early_bytes;
}

// ---- the core

simplex::core::core(const chain_position& from, recalled past, ports access,
                    simplex_options settings)
    : access_(access), options(settings), base(from), random(settings.seed) {
  SOMA_ASSERT(options.view_timeout_ms > 0 && options.standstill_ms > 0, "time has to pass");
  standstill_wait_ms = options.standstill_ms;
  members = committee(base.chain, base.epoch, base.seats, base.leader_seed);
  seat = members.seat_of(access_.key.key());
  signing.begin_epoch(base.epoch, seat.has_value());
  recall(std::move(past));
}

/// R0. Takes over what an earlier process with this key left: its fence, and the votes, proposals,
/// certificates and blocks that its record holds above the base. The time is not known yet, so what
/// needs the time waits for `started`.
void simplex::core::recall(recalled past) {
  SOMA_ASSERT(!begun && views.empty(), "a past is recalled before anything happens");
  cur = base.view + 1;
  first_own_view = cur;
  auto& record = past.record;
  signing.fence(record.votes_from);
  if (past.state == record_state::missing) signing.lose_record();
  if (past.state == record_state::intact && members.size() > 1) signing.start_listening();
  unsaved.prune_to = base.view;
  if (record.epoch < base.epoch || past.state != record_state::intact) {
    unsaved.new_epoch = base.epoch;
    return;
  }
  if (record.epoch > base.epoch) {
    signing.fall_behind_record(record.epoch);
    return;
  }
  for (const auto& [id, block] : record.blocks) keep(block).durable = true;
  for (const auto& [place, c] : record.certificates) {
    if (place.first <= base.view) continue;
    SOMA_ASSERT(c.statement.kind == place.second, "a record knows its certificates by kind");
    views[place.first].keep(c);
    if (place.second != vote_kind::skip) block_views.insert(place.first);
    cur = std::max(cur, place.first + 1);
  }
  for (const auto& [view, id] : record.proposed) {
    if (view <= base.view) continue;
    const auto* kept = known(id);
    views[view].recall_proposal(id, kept == nullptr ? nullptr : kept->block);
  }
  for (const auto& [place, id] : record.votes) {
    const auto [view, kind] = place;
    if (view <= base.view) continue;
    views[view].recall(kind, id);
    cur = std::max(cur, view);
    first_own_view = std::max(first_own_view, view + 1);
    durable_votes.emplace(place, said({kind, base.epoch, view, id}));
  }
  // If the record does not hold what opened the view of the last vote, it was pruned to a base that
  // the ledger has lost, and the votes in between are not known.
  const auto last = record.votes.empty() ? view_number{} : record.votes.rbegin()->first.first;
  const bool opened = last <= base.view + 1 || held(last - 1, vote_kind::notarize) != nullptr ||
                      held(last - 1, vote_kind::skip) != nullptr ||
                      held(last - 1, vote_kind::finalize) != nullptr ||
                      held(last, vote_kind::notarize) != nullptr;
  if (!opened) signing.fall_behind_record(record.epoch);
}

/// Takes one event in, and then takes every decision that has become possible.
void simplex::core::step(const event& e) {
  std::visit(
      [&](const auto& x) {
        using kind = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<kind, started>) on_started();
        if constexpr (std::is_same_v<kind, timer_fired>) on_timer(x.kind);
        if constexpr (std::is_same_v<kind, peer_connected>) on_connected(x.peer, x.key);
        if constexpr (std::is_same_v<kind, peer_gone>) on_gone(x.peer);
        if constexpr (std::is_same_v<kind, received>) on_received(x);
        if constexpr (std::is_same_v<kind, stored>) on_stored(x);
        if constexpr (std::is_same_v<kind, store_failed>) on_store_failed(x);
        if constexpr (std::is_same_v<kind, store_works>) signing.set_mute(false);
        if constexpr (std::is_same_v<kind, executed>) on_executed(x);
        if constexpr (std::is_same_v<kind, execution_failed>) on_execution_failed(x);
        if constexpr (std::is_same_v<kind, committed>) on_committed(x);
      },
      e);
  settle();
}

/// R0. Begins to act: own votes of an earlier process count again, and the first view is entered.
void simplex::core::on_started() {
  SOMA_ASSERT(!begun, "a core is started once");
  begun = true;
  if (signing.is_listening()) arm(timer_kind::listen, options.listen_ms);
  // A certificate that the own votes complete opens its next view as if it had just arrived.
  const auto votes = durable_votes;
  for (const auto& [place, vote] : votes) {
    if (seat && place.first > base.view) count(vote);
  }
  const auto view = cur;
  --cur;
  enter(view);
  arm(timer_kind::standstill, standstill_wait_ms);
}

void simplex::core::on_timer(timer_kind kind) {
  SOMA_ASSERT(begun, "a timer was set before it is over");
  switch (kind) {
    case timer_kind::view:
      view_over = true;
      break;
    case timer_kind::propose:
      (pace_over ? idle_over : pace_over) = true;
      break;
    case timer_kind::hold:
      break;  // settle() judges the held proposal again by the clock
    case timer_kind::standstill:
      send_standstill();
      standstill_wait_ms = std::min(standstill_wait_ms * 2, options.max_standstill_ms);
      arm(timer_kind::standstill, standstill_wait_ms);
      break;
    case timer_kind::fetch:
      fetch_armed = false;
      if (something_missing()) fetch();
      execution_stalled = false;
      break;
    case timer_kind::listen:
      if (hears_quorum())
        signing.stop_listening();
      else
        arm(timer_kind::listen, options.listen_ms);
      break;
  }
}

/// Sends a new peer the position of this process, the votes of the peer's own key (R0), and the own
/// votes and proposal above the base, which the peer may have missed.
void simplex::core::on_connected(peer_number peer, const public_key& key) {
  const bool heard = hears_quorum();
  keys[peer] = key;
  if (signing.is_listening() && begun && !heard && hears_quorum()) {
    arm(timer_kind::listen, options.listen_ms);
  }
  if (std::find(peers.begin(), peers.end(), peer) == peers.end()) peers.push_back(peer);
  send_hello({peer});
  send_its_votes(peer, key);
  for (const auto& [place, vote] : durable_votes) tell({peer}, peer::vote{vote});
  if (const auto found = views.find(cur); found != views.end() && found->second.proposed()) {
    send_proposal(cur, {peer});
  }
}

/// What a message costs while it is kept. What is in it is counted: the header of a block is the
/// word of its sender, and nobody has compared it with the payload yet.
static std::size_t kept_bytes(const received& e) {
  const auto of = [](const certificate& c) { return c.signatures.size() * sizeof(signature); };
  std::size_t size = 256;
  if (const auto* p = std::get_if<peer::proposal>(e.message.get())) {
    size += 8'192;
    for (const auto& t : p->block->block.payload) size += payload_size(t);
    if (p->parent) size += of(*p->parent);
    for (const auto& c : p->skipped) size += of(c);
  } else if (const auto* c = std::get_if<peer::certified>(e.message.get())) {
    size += of(c->certificate);
  }
  return size;
}

/// Forgets everything about a connection that has ended.
void simplex::core::on_gone(peer_number peer) {
  std::erase(peers, peer);
  asked.erase(peer);
  served.erase(peer);
  answered_second.erase(peer);
  keys.erase(peer);
  ahead.erase(peer);
  if (hint == peer) hint.reset();
  std::erase_if(early, [&](const received& r) {
    if (r.from != peer) return false;
    early_bytes -= kept_bytes(r);
    return true;
  });
}

/// R0. Whether this process is connected to a quorum, itself included. Fewer members may not know
/// what its key has signed, so listening to fewer proves nothing.
bool simplex::core::hears_quorum() const {
  std::set<seat_index> heard;
  if (seat) heard.insert(*seat);
  for (const auto& [peer, key] : keys) {
    if (const auto who = members.seat_of(key)) heard.insert(*who);
  }
  voting_power power;
  for (const auto who : heard) power += members.power_of(who);
  return is_quorum(power);
}

/// Hands a message to the rule for it. A statement about an older epoch is answered with the end of
/// that epoch (E4), one about the next epoch is kept until it begins (E5).
void simplex::core::on_received(const received& e) {
  const auto from = e.from;
  std::visit(
      [&](const auto& m) {
        using kind = std::decay_t<decltype(m)>;
        if constexpr (std::is_same_v<kind, peer::hello>) on_hello(from, m);
        if constexpr (std::is_same_v<kind, peer::standstill>) on_standstill(from, m);
        if constexpr (std::is_same_v<kind, peer::request>) on_request(from, m);
        if constexpr (std::is_same_v<kind, peer::response>) on_response(from, m);
        if constexpr (std::is_same_v<kind, peer::epoch_over>) on_epoch_over(from, m);
        const auto epoch_of_message = [&]() -> std::optional<epoch_number> {
          if constexpr (std::is_same_v<kind, peer::proposal>) return m.block->block.header.epoch;
          if constexpr (std::is_same_v<kind, peer::vote>) return m.signed_vote.statement.epoch;
          if constexpr (std::is_same_v<kind, peer::certified>) return m.certificate.statement.epoch;
          return std::nullopt;
        }();
        if (!epoch_of_message) return;
        if (*epoch_of_message < base.epoch) return answer_older_epoch(from, *epoch_of_message);
        if (*epoch_of_message > base.epoch) {  // E5
          if (*epoch_of_message == base.epoch.next()) keep_early(e);
          return want_from(from);
        }
        if constexpr (std::is_same_v<kind, peer::proposal>) on_proposal(from, m);
        if constexpr (std::is_same_v<kind, peer::vote>) on_vote(from, m.signed_vote);
        if constexpr (std::is_same_v<kind, peer::certified>) take_certificate(from, m.certificate);
      },
      *e.message);
}

/// E5. Keeps a message of the next epoch, within bounds. Members end an epoch one after the other,
/// so the first of them already send messages in the next one.
void simplex::core::keep_early(const received& e) {
  const auto size = kept_bytes(e);
  if (early.size() >= max_early_messages || early_bytes + size > max_early_bytes) return;
  early.push_back(e);
  early_bytes += size;
  SOMA_ASSERT(early_bytes <= max_early_bytes, "what peers send early is bounded");
}

/// R1. Enters a view that is later than the present one; no view is entered twice. Starts the timer
/// of the view and, in its leader, the timer for the proposal.
void simplex::core::enter(view_number view) {
  if (view <= cur) return;
  SOMA_ASSERT(view > base.view, "views up to the last final block are over");
  cur = view;
  view_over = false;
  pace_over = idle_over = idle_armed = false;
  drafting.reset();
  std::erase_if(ahead, [&](const auto& peer) { return peer.second <= cur; });
  forget_old_votes();
  arm(timer_kind::view, timeout_of(view));
  if (seat && members.leader(view) == *seat) {
    arm(timer_kind::propose, rest_of_interval(view - 1));
  }
}

/// R2. How long the leader waits after a view, so that two blocks are an interval apart. It counts
/// from the time of the block, because what came since then is part of the interval; it is never
/// longer than an interval, whatever the clock of the block's leader says. After a view without a
/// block there is no need to wait.
std::uint64_t simplex::core::rest_of_interval(view_number view) const {
  const auto* const shown = held(view, vote_kind::notarize);
  if (shown == nullptr) return 0;
  const auto* const block = known(shown->statement.block);
  if (block == nullptr) return options.block_interval_ms;
  const auto over = block->block->block.header.time_ms + options.block_interval_ms;
  return std::min(over - std::min(over, now_ms), options.block_interval_ms);
}

/// Forgets the votes of the view that leaves the window, if it was skipped, because its certificate
/// is enough. This bounds the memory, however long no block becomes final.
void simplex::core::forget_old_votes() {
  if (cur <= base.view + view_window) return;
  const auto old = views.find(cur - view_window - 1);
  if (old == views.end() || old->second.held(vote_kind::skip) == nullptr) return;
  for (const auto& id : old->second.forget_votes()) blocks.erase(id);
}

/// R1. The timeout of a view grows by half for each view between it and the last final block, up to
/// a limit, so that views get long enough for any network. It depends on nothing else.
std::uint64_t simplex::core::timeout_of(view_number view) const {
  std::uint64_t timeout = options.view_timeout_ms;
  const auto far = view > base.view + 2 ? view - base.view - 2 : 0;
  for (std::uint64_t i = 0; i < far && timeout < options.max_view_timeout_ms; ++i)
    timeout += timeout / 2;
  return std::min(timeout, options.max_view_timeout_ms);
}

/// Takes decisions until no more follow. Then asks for what is missing, and gives out the batch
/// that has to become durable.
void simplex::core::settle() {
  if (!begun) return;
  view_number before;
  do {
    before = cur;
    try_commit();
    try_finalize();
    try_skip();
    try_propose();
    try_notarize();
  } while (cur != before);
  try_finalize();
  look_for_missing();
  flush();
  SOMA_ASSERT(cur > base.view, "the present view is above the last final block");
}

void simplex::core::arm(timer_kind kind, std::uint64_t after_ms) {
  out.push_back(set_timer{kind, after_ms});
}

/// R12. The process has seen a violation of safety. It signs nothing more, and reports the alarm
/// once.
void simplex::core::raise_alarm(std::string why) {
  SOMA_ASSERT(!why.empty(), "an alarm says what has happened");
  if (!signing.raise_alarm()) return;
  out.push_back(alarm{std::move(why)});
}

/// Sends to these peers, or to all peers when `to` is empty.
void simplex::core::tell(std::vector<peer_number> to, peer_message message) {
  if (to.empty() && peers.empty()) return;
  out.push_back(send{std::move(to), std::make_shared<const peer_message>(std::move(message))});
}

}  // namespace soma::consensus
