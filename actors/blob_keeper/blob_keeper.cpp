#include "actors/blob_keeper/blob_keeper.hpp"

#include <algorithm>
#include <iostream>

#include "actors/blob_exchange/placement.hpp"
#include "actors/blob_keeper/keeper.hpp"
#include "actors/execution/ledger_reader.hpp"
#include "actors/interface/describe_error.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/rules/audit.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/model_entry.hpp"
#include "model/weights/weights.hpp"

namespace soma::blob_keeper {
namespace {

using blob_exchange::fetch_end;
using blob_exchange::fetcher;

/// The header of a weights file, which names the tensors, has at most so many bytes.
constexpr std::uint64_t max_weights_header_bytes = std::uint64_t{1} << 20U;
constexpr std::uint64_t least_answer_ms = 500;

genesis_parameters parameters_of(const tables::ledger_store& ledger) {
  const auto genesis = decode<soma::genesis>(*ledger.genesis());
  SOMA_ASSERT(genesis.has_value(), "the ledger's genesis was checked when it was opened");
  return genesis->parameters;
}

/// A member that says that it has a blob and then is silent must not use up the time in which the
/// blob is needed, also where an epoch is short.
blob_keeper_options with_patience(blob_keeper_options options,
                                  const genesis_parameters& parameters) {
  auto& answer_ms = options.fetcher.answer_ms;
  answer_ms = std::min(answer_ms, std::max(parameters.epoch_ms / 64, least_answer_ms));
  return options;
}

std::uint64_t most_bytes(const genesis_parameters& parameters) {
  return std::max(4 * weights::parameter_count(parameters.architecture) + max_weights_header_bytes,
                  rules::largest_data_bytes(parameters));
}

}  // namespace

keeper::keeper(blob_keeper_actor::pointer self, blob_keeper_ports ports,
               blob_keeper_options options)
    : self_(self),
      ports_(std::move(ports)),
      options_(with_patience(options, parameters_of(*ports_.ledger))),
      most_blob_bytes_(most_bytes(parameters_of(*ports_.ledger))),
      shelf_(
          ports_.disk, [this](const std::string& line) { tell(line); },
          parameters_of(*ports_.ledger).max_data_bytes),
      fetcher_(shelf_, options_.fetcher),
      server_(shelf_, options_.server),
      care_(ports_.disk, options_.care) {
  server_.set_named([this](const blob_id& blob) { return !names_of(named_, blob).empty(); });
}

void keeper::start() {
  read_members();
  read_ledger();
  if (ports_.peers) {
    self_->send(ports_.peers,
                message<schema::HearPeers>::build([](auto out) { out.setOfBlobs(true); }));
  }
  tick();
}

void keeper::tell(const std::string& line) const {
  if (ports_.notify_operator) return ports_.notify_operator(line);
  std::cerr << "blob keeper: " + line + "\n";
}

// ---- time

void keeper::tick() {
  if (std::exchange(is_waiting_, true)) return;
  self_
      ->request(ports_.clock, caf::infinite, message<schema::Wait>::build([&](auto out) {
                  out.setMs(now_ms_ ? options_.tick_ms : 0);
                }))
      .then(
          [me = shared_from_this()](const message<schema::Time>& time) {
            me->is_waiting_ = false;
            me->woken(time.root().getSteadyMs());
            me->tick();
          },
          // The clock does not take everything that wants to wait. The next message is the sign
          // that time has passed.
          [me = shared_from_this()](caf::error&) { me->is_waiting_ = false; });
}

void keeper::woken(std::uint64_t now_ms) {
  now_ms_ = std::max(now_ms_.value_or(now_ms), now_ms);
  step(fetcher::time_passed{});
  end_waiters();
  end_surveys();
  look_after_blobs();
}

void keeper::look_after_blobs() {
  try {
    const auto found =
        care_.step(*now_ms_, [this](const blob_id& blob) { return is_needed(blob); });
    for (const auto& blob : found.damaged) {
      const bool comes_again = should_have(blob);
      tell("the disk has damaged a part of blob " + blob.text() +
           (comes_again ? "; it is fetched again" : ""));
      if (comes_again) place_all_of(blob);
    }
    if (!found.removed.empty()) {
      tell("removed " + std::to_string(found.removed.size()) + " blobs that nothing needs, " +
           std::to_string(found.freed_bytes) + " bytes");
    }
  } catch (const blobs::blob_failure& failure) {
    tell(std::string("the blobs cannot be looked after: ") + failure.what());
  }
}

// ---- requests of the own validator

/// The sizes that the ledger says, of which any may be right, or the given one if it names it.
std::vector<std::uint64_t> keeper::named_sizes(const blob_id& blob, std::uint64_t given) const {
  std::vector<std::uint64_t> sizes;
  for (const auto& [name, is_for_all] : names_of(named_, blob)) {
    if (given == 0 || given == name.size_bytes) sizes.push_back(name.size_bytes);
  }
  return sizes;
}

caf::typed_response_promise<message<schema::FetchedBlobs>> keeper::fetch(
    schema::FetchBlobs::Reader wanted) {
  waiter request;
  request.answer = self_->make_response_promise<message<schema::FetchedBlobs>>();
  request.within_ms = wanted.getWithinMs();
  if (now_ms_) request.until_ms = *now_ms_ + request.within_ms;
  const auto answer = request.answer;
  std::vector<fetcher::wanted> asked;
  for (const auto entry : wanted.getBlobs()) {
    const auto blob = id_or_zero<blob_id>(entry.getBlob());
    const auto size_bytes = entry.getSizeBytes();
    auto sizes = wanted.getOnlyNamed() ? named_sizes(blob, size_bytes) : std::vector{size_bytes};
    std::erase(sizes, 0);
    if (sizes.empty()) {  // no blob has this size, or the ledger does not name it
      request.other_size.push_back(blob);
      continue;
    }
    // Of a blob that a request names twice the first size counts.
    if (!request.missing.emplace(blob, size_bytes).second) continue;
    ++awaited_[blob];
    for (const auto size : sizes) {
      asked.push_back({blob, size, now_ms_.value_or(0) + request.within_ms});
    }
  }
  waiters_.push_back(std::move(request));
  for (const auto& one : asked) {
    if (one.size_bytes <= most_blob_bytes_) step(one);
  }
  // A home without peers waits for nobody.
  if (!ports_.peers) waiters_.back().until_ms = 0;
  end_waiters();
  tick();
  return answer;
}

/// Each request compares the size that is proven with its own: others may have asked for the same
/// blob with a wrong one.
void keeper::took(const fetcher::done& done) {
  if (!done.size_bytes) return;
  for (auto& one : waiters_) {
    const auto awaited = one.missing.find(done.blob);
    if (awaited == one.missing.end()) continue;
    const bool is_other_size = awaited->second != 0 && awaited->second != *done.size_bytes;
    if (!is_other_size && done.end == fetch_end::other_size) continue;
    one.missing.erase(awaited);
    if (is_other_size) one.other_size.push_back(done.blob);
    if (--awaited_[done.blob] == 0) awaited_.erase(done.blob);
  }
}

/// Answers the requests that wait for nothing, or whose time is over.
void keeper::end_waiters() {
  for (auto& one : waiters_) {
    if (!one.until_ms && now_ms_) one.until_ms = *now_ms_ + one.within_ms;
    const bool is_late =
        one.until_ms && (*one.until_ms == 0 || now_ms_.value_or(0) >= *one.until_ms);
    if (one.missing.empty() || is_late) answer(one);
  }
  std::erase_if(waiters_, [](const waiter& one) { return one.is_answered; });
}

void keeper::answer(waiter& done) {
  done.is_answered = true;
  done.answer.deliver(message<schema::FetchedBlobs>::build([&](auto out) {
    auto missing = out.initMissing(static_cast<unsigned>(done.missing.size()));
    unsigned at = 0;
    for (const auto& [blob, size_bytes] : done.missing) missing.set(at++, data_of(blob));
    auto other = out.initOtherSize(static_cast<unsigned>(done.other_size.size()));
    for (at = 0; at < done.other_size.size(); ++at) other.set(at, data_of(done.other_size[at]));
    std::erase_if(done.not_kept, [&](const auto& blob) { return !done.missing.contains(blob); });
    auto not_kept = out.initNotKept(static_cast<unsigned>(done.not_kept.size()));
    at = 0;
    for (const auto& blob : done.not_kept) not_kept.set(at++, data_of(blob));
  }));
  for (const auto& [blob, size_bytes] : done.missing) let_go(blob);
}

/// One waiter less. What none waits for is fetched without haste, or not at all.
void keeper::let_go(const blob_id& blob) {
  if (--awaited_.at(blob) > 0) return;
  awaited_.erase(blob);
  step(fetcher::not_wanted{blob});
  place_all_of(blob);
}

// ---- what the ledger names

void keeper::read_members() {
  members_.clear();
  const auto committee = ledger::read_committee(execution::ledger_reader(*ports_.ledger));
  for (const auto& seat : committee.seats) members_.push_back(seat.consensus_key);
  is_member_ = std::ranges::find(members_, ports_.key) != members_.end();
  server_.set_members({members_.begin(), members_.end()});
}

void keeper::read_ledger() {
  auto before = std::move(named_);
  named_ = named_in(*ports_.ledger);
  for (const auto& [what, is_for_all] : before) {
    if (!should_have(what.blob) && !awaited_.contains(what.blob)) {
      step(fetcher::not_wanted{what.blob});
    }
  }
  place();
}

void keeper::block_done(schema::BlockNotice::Reader notice) {
  if (notice.getClosesEpoch()) {
    read_members();
    read_ledger();
    return tick();
  }
  const auto view = ports_.ledger->view();
  named_blobs fresh;
  for (const auto& data : notice.getEvents()) {
    if (const auto what = decode<event>(view_of(data))) add_named(view, *what, fresh);
  }
  for (const auto& [what, is_for_all] : fresh) {
    named_[what] |= is_for_all;
    place(what, is_for_all);
  }
  tick();
}

void keeper::place() {
  // The blobs that all need come first.
  for (const bool first : {true, false}) {
    for (const auto& [what, is_for_all] : named_) {
      if (is_for_all == first) place(what, is_for_all);
    }
  }
}

void keeper::place(const named_blob& what, bool is_for_all) {
  if (should_have(what, is_for_all) && !fetcher_.wants(what.blob, what.size_bytes)) {
    step(fetcher::wanted{what.blob, what.size_bytes});
  }
}

void keeper::place_all_of(const blob_id& blob) {
  for (const auto& [what, is_for_all] : names_of(named_, blob)) place(what, is_for_all);
}

bool keeper::should_have(const named_blob& what, bool is_for_all) const {
  if (!is_member_ || what.size_bytes > most_blob_bytes_) return false;
  return is_for_all || blob_exchange::keeps(ports_.key, what.blob, members_);
}

bool keeper::should_have(const blob_id& blob) const {
  return std::ranges::any_of(names_of(named_, blob), [this](const auto& name) {
    return should_have(name.first, name.second);
  });
}

/// Whether a blob that is here stays. A home without a seat keeps what all members need, too: its
/// validator may score with it.
bool keeper::is_needed(const blob_id& blob) const {
  if (awaited_.contains(blob)) return true;
  const auto names = names_of(named_, blob);
  return should_have(blob) ||
         std::ranges::any_of(names, [](const auto& name) { return name.second; });
}

// ---- peers

void keeper::take(schema::FromPeer::Reader from) {
  const auto peer = from.getPeer();
  switch (from.which()) {
    case schema::FromPeer::CONNECTED:
      peers_[peer] = array_of<32>(from.getConnected()).value_or(public_key{});
      server_.peer_connected(peer, peers_[peer]);
      step(fetcher::peer_connected{peer});
      break;
    case schema::FromPeer::GONE:
      peers_.erase(peer);
      server_.peer_gone(peer);
      step(fetcher::peer_gone{peer});
      break;
    case schema::FromPeer::SENT:
      take_sent(peer, from.getSent());
      break;
  }
  end_waiters();
  tick();
}

void keeper::take_sent(std::uint32_t peer, schema::FromPeer::Sent::Reader sent) {
  const auto message = decode_frame(sent.getType(), view_of(sent.getBody()));
  if (!message) {
    return blame(peer, "it sent no valid message: " + std::string(to_text(message.error())));
  }
  if (const auto answer = server_.answer(peer, *message, now_ms_.value_or(0))) {
    return send({peer}, *answer);
  }
  if (const auto* said = std::get_if<peer::have>(&*message)) hear_holder(peer, *said);
  step(fetcher::received{peer, *message});
}

void keeper::step(const fetcher::event& next) {
  for (auto& effect : fetcher_.step(next, now_ms_.value_or(0))) {
    if (const auto* sent = std::get_if<fetcher::send>(&effect)) {
      send(sent->to, sent->message);
    } else if (const auto* bad = std::get_if<fetcher::blame>(&effect)) {
      blame(bad->peer, bad->why);
    } else if (const auto* ended = std::get_if<fetcher::done>(&effect)) {
      took(*ended);
    } else {
      const auto& blob = std::get<fetcher::not_kept>(effect).blob;
      for (auto& one : waiters_) {
        if (one.missing.contains(blob)) one.not_kept.insert(blob);
      }
    }
  }
}

void keeper::send(const std::vector<std::uint32_t>& to, const peer_message& what) {
  if (!ports_.peers || to.empty()) return;
  const auto body = encode(what);
  self_->send(ports_.peers, message<schema::ToPeers>::build([&](auto out) {
                auto list = out.initTo(static_cast<unsigned>(to.size()));
                for (unsigned i = 0; i < to.size(); ++i) list.set(i, to[i]);
                out.setType(frame_type_of(what));
                out.setBody(data_of(body));
              }));
}

void keeper::blame(std::uint32_t peer, const std::string& why) {
  if (!ports_.peers) return;
  self_->send(ports_.peers, message<schema::ToPeers>::build([&](auto out) {
                out.initTo(1).set(0, peer);
                out.setBlame(why);
              }));
}

// ---- the role

blob_keeper_actor::behavior_type blob_keeper(
    blob_keeper_actor::stateful_pointer<blob_keeper_state> self, blob_keeper_ports ports,
    blob_keeper_options options) {
  name_exceptions(*self);
  SOMA_ASSERT(ports.disk && ports.ledger && ports.ledger->initialised(), "a store and a ledger");
  const auto work = std::make_shared<keeper>(self, std::move(ports), options);
  self->state.work = work;
  work->start();
  const auto at = work.get();  // self->state.work keeps it alive
  return {[at](const message<schema::FetchBlobs>& wanted) { return at->fetch(wanted.root()); },
          [at](const message<schema::GetHolders>& asked) { return at->ask_holders(asked.root()); },
          [at](const message<schema::FromPeer>& from) {
            at->take(from.root());
            return message<schema::Ack>{};
          },
          [at](const message<schema::BlockNotice>& notice) { at->block_done(notice.root()); }};
}

}  // namespace soma::blob_keeper
