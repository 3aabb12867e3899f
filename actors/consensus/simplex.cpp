#include "actors/consensus/simplex.hpp"

#include <algorithm>

#include "actors/consensus/simplex_core.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/assert.hpp"

namespace soma::consensus {

simplex::simplex(const chain_position& base, recalled past, ports access, simplex_options options,
                 mutation broken)
    : core_(std::make_unique<core>(base, std::move(past), access, options, broken)) {}
simplex::~simplex() = default;
simplex::simplex(simplex&&) noexcept = default;

std::vector<effect> simplex::step(const event& e, std::uint64_t now_ms) {
  core_->now_ms = now_ms;
  core_->step(e);
  return std::exchange(core_->out, {});
}

epoch_number simplex::epoch() const {
  return core_->base.epoch;
}
std::uint64_t simplex::view() const {
  return core_->cur;
}
const chain_position& simplex::base() const {
  return core_->base;
}
const committee& simplex::members() const {
  return core_->members;
}
bool simplex::may_sign() const {
  return core_->may_sign();
}
bool simplex::fenced() const {
  return core_->fenced();
}
bool simplex::mute() const {
  return core_->mute;
}
bool simplex::alarmed() const {
  return core_->alarmed;
}
std::size_t simplex::unfinalized_blocks() const {
  return core_->blocks.size();
}
const certificate* simplex::held(std::uint64_t view, vote_kind kind) const {
  return core_->held(view, kind);
}

std::size_t simplex::held_bytes() const {
  constexpr std::size_t vote_bytes = 160;
  std::size_t total = 0;
  for (const auto& [view, state] : core_->views) {
    std::size_t votes = state.first_notarize.size() + state.first_finalize.size();
    votes += state.skip.signatures.size();
    for (const auto& [kind, c] : state.certificates) votes += c.signatures.size();
    total += sizeof(view_state) + votes * vote_bytes;
  }
  const auto size_of = [](const block& whole) {
    return sizeof(block) + whole.header.payload_bytes;
  };
  for (const auto& [id, b] : core_->blocks) total += size_of(b.what->whole);
  for (const auto& [view, state] : core_->views) {
    for (const auto& p : state.proposals) total += size_of(p.what->whole);
  }
  return total + core_->early_bytes;
}

// ---- the core

simplex::core::core(const chain_position& from, recalled past, ports access,
                    simplex_options settings, mutation broken_rule)
    : access_(access),
      options(settings),
      mutant(broken_rule),
      base(from),
      random_state(settings.seed) {
  standstill_wait_ms = options.standstill_ms;
  members = committee(base.chain, base.epoch, base.seats, base.leader_seed);
  seat = members.seat_of(access_.key.key());
  recall(std::move(past));
}

/// R0. Runs before anything is known of the time: what needs it waits for `started`.
void simplex::core::recall(recalled past) {
  cur = base.view + 1;
  first_own_view = cur;
  auto& record = past.record;
  if (!broken(mutation::fence_forgotten)) votes_from = record.votes_from;
  forgot = past.state == record_state::missing && !broken(mutation::signs_after_lost_record);
  listening = past.state == record_state::whole && members.size() > 1;
  unsaved.prune_to = base.view;
  if (record.epoch < base.epoch || past.state != record_state::whole) {
    unsaved.new_epoch = base.epoch;
    return;
  }
  if (record.epoch > base.epoch) {
    silent_through = record.epoch;
    return;
  }
  for (const auto& [id, what] : record.blocks) keep(what).durable = true;
  for (const auto& [place, c] : record.certificates) {
    if (place.first <= base.view) continue;
    views[place.first].certificates.emplace(place.second, c);
    if (place.second != vote_kind::skip) block_views.insert(place.first);
    if (!broken(mutation::resumes_at_base)) cur = std::max(cur, place.first + 1);
  }
  for (const auto& [view, id] : record.proposed) {
    if (view <= base.view || broken(mutation::proposes_again)) continue;
    views[view].mine.proposal = id;
    views[view].mine.proposal_durable = true;
    if (const auto* mine = known(id)) views[view].proposals.push_back({mine->what});
  }
  for (const auto& [place, id] : record.votes) {
    const auto [view, kind] = place;
    if (view <= base.view) continue;
    auto& mine = views[view].mine;
    if (kind == vote_kind::notarize) mine.notarize = id;
    if (kind == vote_kind::finalize) mine.finalize = id;
    if (kind == vote_kind::skip) mine.skip = true;
    if (!broken(mutation::resumes_at_base)) cur = std::max(cur, view);
    first_own_view = std::max(first_own_view, view + 1);
    durable_votes.emplace(place, said({kind, base.epoch, view, id}));
  }
  // What opened the view of the last vote is gone: the record was pruned to a base that the ledger
  // has lost, and what was said in between is not known.
  const auto last = record.votes.empty() ? 0 : record.votes.rbegin()->first.first;
  const bool opened = last <= base.view + 1 || held(last - 1, vote_kind::notarize) != nullptr ||
                      held(last - 1, vote_kind::skip) != nullptr ||
                      held(last - 1, vote_kind::finalize) != nullptr ||
                      held(last, vote_kind::notarize) != nullptr;
  if (!opened) silent_through = record.epoch;
}

void simplex::core::step(const event& e) {
  std::visit(
      [&](const auto& x) {
        using kind = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<kind, started>) on_started();
        if constexpr (std::is_same_v<kind, timer_fired>) on_timer(x.kind);
        if constexpr (std::is_same_v<kind, peer_connected>) on_connected(x.peer, x.key);
        if constexpr (std::is_same_v<kind, peer_gone>) {
          std::erase(peers, x.peer);
          asked.erase(x.peer);
          served.erase(x.peer);
          told_second.erase(x.peer);
          keys.erase(x.peer);
          if (hint == x.peer) hint.reset();
          std::erase_if(early, [&](const received& r) { return r.from == x.peer; });
        }
        if constexpr (std::is_same_v<kind, received>) on_received(x);
        if constexpr (std::is_same_v<kind, stored>) on_stored(x);
        if constexpr (std::is_same_v<kind, store_failed>) on_store_failed(x);
        if constexpr (std::is_same_v<kind, store_works>)
          mute = mute && broken(mutation::stays_mute);
        if constexpr (std::is_same_v<kind, executed>) on_executed(x);
        if constexpr (std::is_same_v<kind, execution_failed>) on_execution_failed(x);
        if constexpr (std::is_same_v<kind, committed>) on_committed(x);
      },
      e);
  settle();
}

void simplex::core::on_started() {
  begun = true;
  if (listening) arm(timer_kind::listen, options.listen_ms);
  // Own votes count again; what they complete opens views as if it had come just now.
  const auto votes = durable_votes;
  for (const auto& [place, vote] : votes) {
    if (seat && place.first > base.view && !broken(mutation::own_votes_not_recounted)) count(vote);
  }
  const auto view = cur;
  --cur;
  enter(view);
  arm(timer_kind::standstill, standstill_wait_ms);
}

void simplex::core::on_timer(timer_kind kind) {
  switch (kind) {
    case timer_kind::view:
      view_over = true;
      break;
    case timer_kind::propose:
      (pace_over ? idle_over : pace_over) = true;
      break;
    case timer_kind::hold:
      break;  // settle looks at the clock
    case timer_kind::standstill:
      if (!broken(mutation::no_standstill)) send_standstill();
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
        listening = false;
      else
        arm(timer_kind::listen, options.listen_ms);
      break;
  }
}

void simplex::core::on_connected(peer_number peer, const public_key& key) {
  const bool heard = hears_quorum();
  keys[peer] = key;
  if (listening && begun && !heard && hears_quorum()) arm(timer_kind::listen, options.listen_ms);
  if (std::find(peers.begin(), peers.end(), peer) == peers.end()) peers.push_back(peer);
  send_hello({peer});
  tell_its_votes(peer, key);
  for (const auto& [place, vote] : durable_votes) tell({peer}, peer::vote{vote});
  if (const auto found = views.find(cur); found != views.end() && found->second.mine.proposal) {
    send_proposal(cur, {peer});
  }
}

/// R0: who hears few learns nothing by listening.
bool simplex::core::hears_quorum() const {
  std::set<std::uint16_t> heard;
  if (seat) heard.insert(*seat);
  for (const auto& [peer, key] : keys) {
    if (const auto who = members.seat_of(key)) heard.insert(*who);
  }
  std::uint32_t power = 0;
  for (const auto who : heard) power += members.power_of(who);
  return power >= quorum;
}

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
          if constexpr (std::is_same_v<kind, peer::proposal>) return m.what->whole.header.epoch;
          if constexpr (std::is_same_v<kind, peer::vote>) return m.what.what.epoch;
          if constexpr (std::is_same_v<kind, peer::certified>) return m.what.what.epoch;
          return std::nullopt;
        }();
        if (!epoch_of_message) return;
        if (*epoch_of_message < base.epoch) return answer_older_epoch(from, *epoch_of_message);
        if (*epoch_of_message > base.epoch) {  // E5
          if (*epoch_of_message == base.epoch.next()) keep_early(e);
          return want_from(from);
        }
        if constexpr (std::is_same_v<kind, peer::proposal>) on_proposal(from, m);
        if constexpr (std::is_same_v<kind, peer::vote>) on_vote(from, m.what);
        if constexpr (std::is_same_v<kind, peer::certified>) take_certificate(from, m.what);
      },
      *e.what);
}

/// E5: members end an epoch one after the other.
void simplex::core::keep_early(const received& e) {
  std::size_t size = 256;
  if (const auto* p = std::get_if<peer::proposal>(e.what.get())) {
    size += p->what->whole.header.payload_bytes + 8'192;
  }
  if (early.size() >= max_early_messages || early_bytes + size > max_early_bytes) return;
  early.push_back(e);
  early_bytes += size;
}

/// R1.
void simplex::core::enter(std::uint64_t view) {
  if (view <= cur) return;
  cur = view;
  view_over = false;
  pace_over = idle_over = idle_armed = false;
  drafting.reset();
  forget_old_votes();
  arm(timer_kind::view, timeout_of(view));
  if (seat && members.leader(view) == *seat) {
    // Blocks keep a distance; after a view without one there is nothing to keep it from.
    const bool after_block = held(view - 1, vote_kind::notarize) != nullptr;
    arm(timer_kind::propose, after_block ? options.block_interval_ms : 0);
  }
}

/// What was skipped long ago needs its certificate alone, whoever voted in it; of blocks those
/// alone that were notarized here, because a quorum may still show that it did so, too.
void simplex::core::forget_old_votes() {
  if (cur <= base.view + view_window) return;
  const auto old = views.find(cur - view_window - 1);
  if (old == views.end() || old->second.held(vote_kind::skip) == nullptr) return;
  auto& state = old->second;
  state.skip = {};
  if (state.held(vote_kind::notarize) != nullptr) return;
  state.notarize.clear();
  state.first_notarize.clear();
  state.finalize.clear();
  state.first_finalize.clear();
  for (const auto& p : state.proposals) {
    if (p.what->id != state.mine.notarize) blocks.erase(p.what->id);
  }
  state.proposals.clear();
}

std::uint64_t simplex::core::timeout_of(std::uint64_t view) const {
  std::uint64_t timeout = options.view_timeout_ms;
  if (broken(mutation::timeouts_do_not_grow)) return timeout;
  const auto far = view > base.view + 2 ? view - base.view - 2 : 0;
  for (std::uint64_t i = 0; i < far && timeout < options.max_view_timeout_ms; ++i)
    timeout += timeout / 2;
  return std::min(timeout, options.max_view_timeout_ms);
}

/// Until nothing more follows from what is known.
void simplex::core::settle() {
  if (!begun) return;
  std::uint64_t before = 0;
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
}

void simplex::core::arm(timer_kind kind, std::uint64_t after_ms) {
  out.push_back(set_timer{kind, after_ms});
}

bool simplex::core::fenced() const {
  return forgot || base.epoch < votes_from || is_silent();
}

/// The record tells of votes that the ledger here is behind.
bool simplex::core::is_silent() const {
  return silent_through && base.epoch <= *silent_through && !broken(mutation::signs_below_record);
}

bool simplex::core::may_sign() const {
  return seat && !fenced() && !mute && !listening && !alarmed &&
         (!ending || broken(mutation::signs_after_epoch_end));
}

/// R12.
void simplex::core::raise_alarm(std::string why) {
  if (alarmed) return;
  alarmed = true;
  out.push_back(alarm{std::move(why)});
}

void simplex::core::tell(std::vector<peer_number> to, peer_message what) {
  if (to.empty() && peers.empty()) return;
  out.push_back(send{std::move(to), std::make_shared<const peer_message>(std::move(what))});
}

/// splitmix64: who is asked need not be unpredictable, only spread and repeatable.
std::uint64_t simplex::core::random() {
  std::uint64_t z = (random_state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace soma::consensus
