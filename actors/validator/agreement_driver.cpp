#include "actors/validator/agreement_driver.hpp"

#include <algorithm>
#include <iostream>

#include "messages/crypto/codec_agreement.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/fields.hpp"

namespace soma::actors {
namespace {

constexpr std::uint64_t retry_ms = 1'000;

/// The validator's pace as the core's. A view outlasts the pause before an idle block.
consensus::simplex_options pace_of(const validator_options& options, const public_key& key) {
  consensus::simplex_options pace;
  pace.block_interval_ms = options.block_ms;
  pace.idle_ms = std::max(options.idle_ms, options.block_ms);
  pace.view_timeout_ms = std::max<std::uint64_t>(options.view_timeout_ms, 2 * pace.idle_ms);
  pace.max_view_timeout_ms = std::max(pace.max_view_timeout_ms, pace.view_timeout_ms);
  pace.standstill_ms = std::max(pace.standstill_ms, 2 * pace.view_timeout_ms);
  pace.max_standstill_ms = std::max(pace.max_standstill_ms, pace.standstill_ms);
  pace.listen_ms = options.listen_ms;
  pace.seed = options.seed;
  if (pace.seed == 0) {
    for (std::size_t i = 0; i < 8; ++i) pace.seed = pace.seed << 8 | key[i];
  }
  return pace;
}

}  // namespace

agreement_driver::agreement_driver(validator_actor::pointer self, const validator_ports& ports,
                                   const validator_options& options, const crypto::key_pair& key,
                                   const genesis& born, std::shared_ptr<block_executor> executor,
                                   const consensus::payload_source& payload, agreement_hooks hooks)
    : self_(self),
      ports_(ports),
      signer_(key, crypto::chain_id_of(born)),
      checker_(crypto::chain_id_of(born)),
      archive_(*ports_.ledger),
      executor_(std::move(executor)),
      hooks_(std::move(hooks)) {
  recall(born, options, payload);
}

/// What the ledger and the voting record hold is all that the past has left.
void agreement_driver::recall(const genesis& born, const validator_options& options,
                              const consensus::payload_source& payload) {
  const auto base = position_of(ports_.ledger->view(), born, executor_->state().tree().root());
  auto past = ports_.votes->recall();
  if (past.state == consensus::record_state::missing) {
    if (base.seats.size() == 1 && base.seats[0].consensus_key == signer_.key()) {
      // Nobody else counts its votes, so what it may have said before binds nobody. A fence that
      // lies behind makes the record whole from here on.
      record_batch begun;
      begun.votes_from = base.epoch;
      ports_.votes->write(begun);
      past.state = consensus::record_state::fresh;
    } else {
      tell_operator("there is no whole record of what this validator's key has voted" +
                    (ports_.votes->damage().empty() ? "" : " (" + ports_.votes->damage() + ")") +
                    ": it votes for nothing until the next epoch begins");
    }
  }
  core_ = std::make_unique<consensus::simplex>(
      base, std::move(past), consensus::ports{signer_, checker_, payload, archive_},
      pace_of(options, signer_.key()));
}

void agreement_driver::start() {
  clock_ = std::make_shared<alarm_clock>(
      self_, ports_.clock, number_of_timers,
      [weak = weak_from_this()](std::uint64_t now_ms, const std::vector<std::size_t>& due) {
        if (const auto me = weak.lock()) me->on_wake(now_ms, due);
      });
  enqueue(consensus::started{});
  if (ports_.peers) self_->send(ports_.peers, message<schema::HearPeers>{});
}

// ---- events

void agreement_driver::enqueue(consensus::event what, std::optional<ack> taken) {
  events_.push_back({std::move(what), std::move(taken)});
  clock_->look();
}

void agreement_driver::on_wake(std::uint64_t now_ms, const std::vector<std::size_t>& due) {
  now_ms_ = now_ms;
  for (const auto timer : due) {
    if (timer == gossip_timer) {
      gossip_set_ = false;
      hooks_.on_gossip_time();
    } else if (timer == retry_timer) {
      retry();
    } else {
      run(consensus::timer_fired{static_cast<consensus::timer_kind>(timer)});
    }
  }
  while (!events_.empty() && !ended_) {
    auto next = std::move(events_.front());
    events_.pop_front();
    if (std::holds_alternative<consensus::payload_waiting>(next.what)) payload_told_ = false;
    run(std::move(next.what));
    if (next.taken) next.taken->deliver(message<schema::Ack>{});
  }
}

/// A full disk may have room again; a role that an execution needs may be there again.
void agreement_driver::retry() {
  if (is_full_) {
    try {
      ports_.votes->resume();
      run(consensus::store_works{});
    } catch (const lmdb::failure& failure) {
      if (failure.code() != lmdb::failure_code::storage_full) return end(failure.what());
    }
  }
  executor_->try_again();
  if (is_full_ || is_committing_) clock_->set(retry_timer, retry_ms);
}

/// One event and all that comes of it at once.
void agreement_driver::run(consensus::event first) {
  answers_.push_back(std::move(first));
  if (running_) return;
  running_ = true;
  while (!answers_.empty() && !ended_) {
    const auto next = std::move(answers_.front());
    answers_.pop_front();
    for (auto& effect : core_->step(next, now_ms_)) {
      if (!ended_) std::visit([&](auto& wanted) { carry_out(wanted); }, effect);
    }
  }
  running_ = false;
}

void agreement_driver::payload_waiting() {
  if (std::exchange(payload_told_, true)) return;
  enqueue(consensus::payload_waiting{});
}

caf::typed_response_promise<message<schema::Ack>> agreement_driver::take(
    const message<schema::FromPeer>& from) {
  auto promise = self_->make_response_promise<message<schema::Ack>>();
  const auto root = from.root();
  const auto peer = root.getPeer();
  bool answered_later = false;
  switch (root.which()) {
    case schema::FromPeer::CONNECTED:
      if (const auto key = array_of<32>(root.getConnected())) {
        peers_.insert_or_assign(peer, *key);
        enqueue(consensus::peer_connected{peer, *key});
      }
      break;
    case schema::FromPeer::GONE:
      if (peers_.erase(peer) != 0) enqueue(consensus::peer_gone{peer});
      hooks_.on_gone(peer);
      break;
    case schema::FromPeer::BODY:
      if (peers_.contains(peer)) answered_later = take_body(peer, view_of(root.getBody()), promise);
      break;
  }
  if (!answered_later) promise.deliver(message<schema::Ack>{});
  return promise;
}

bool agreement_driver::take_body(consensus::peer_number peer, byte_view body,
                                 const std::optional<ack>& taken) {
  auto what = decode<peer_message>(body);
  if (!what) {
    blame(peer, "what it sent is no message: " + std::string(to_text(what.error())));
    return false;
  }
  if (const auto* list = std::get_if<peer::transactions>(&*what)) {
    hooks_.on_transactions(peer, *list);
    return false;
  }
  if (const auto* asked = std::get_if<peer::ask_state>(&*what)) {
    hooks_.on_ask_state(peer, *asked);
    return false;
  }
  if (std::holds_alternative<peer::state_part>(*what)) return false;  // of before this ledger
  enqueue(consensus::received{peer, std::make_shared<const peer_message>(std::move(*what))}, taken);
  return true;
}

// ---- effects

void agreement_driver::carry_out(consensus::persist& wanted) {
  try {
    ports_.votes->write(wanted.batch);
  } catch (const lmdb::failure& failure) {
    if (failure.code() != lmdb::failure_code::storage_full) return end(failure.what());
    if (!std::exchange(is_full_, true)) {
      tell_operator("there is no room for the record of votes: the validator votes for nothing");
    }
    run(consensus::store_failed{wanted.ticket});
    return clock_->set(retry_timer, retry_ms);
  }
  if (std::exchange(is_full_, false)) tell_operator("there is room again: the validator votes");
  run(consensus::stored{wanted.ticket});
}

void agreement_driver::carry_out(consensus::send& wanted) {
  tell_peers(*wanted.what, wanted.to);
}

void agreement_driver::carry_out(consensus::set_timer& wanted) {
  clock_->set(static_cast<std::size_t>(wanted.kind), wanted.after_ms);
}

void agreement_driver::carry_out(consensus::execute& wanted) {
  executor_->execute(wanted.candidate,
                     [weak = weak_from_this(), ticket = wanted.ticket](const auto& result) {
                       const auto me = weak.lock();
                       if (!me) return;
                       consensus::event answer = consensus::execution_failed{ticket};
                       if (result) answer = consensus::executed{ticket, *result};
                       if (me->running_) return me->run(std::move(answer));
                       me->enqueue(std::move(answer));
                     });
}

void agreement_driver::carry_out(consensus::commit& wanted) {
  const auto done = [weak = weak_from_this(), ticket = wanted.ticket] {
    const auto me = weak.lock();
    if (!me) return;
    me->is_committing_ = false;
    if (me->running_) return me->run(consensus::committed{ticket});
    me->enqueue(consensus::committed{ticket});
  };
  is_committing_ = true;
  try {
    executor_->commit(std::move(wanted.blocks), hooks_.on_block, done);
  } catch (const lmdb::failure& failure) {
    // Nothing of the block was announced; the ledger is as the last commit left it.
    return end(failure.what());
  }
  if (is_committing_) clock_->set(retry_timer, retry_ms);
}

void agreement_driver::carry_out(consensus::base_moved& wanted) {
  executor_->base_moved(wanted.base);
}

void agreement_driver::carry_out(consensus::report& wanted) {
  hooks_.on_evidence(std::move(wanted.evidence));
}

void agreement_driver::carry_out(consensus::blame& wanted) {
  blame(wanted.peer, wanted.why);
}

/// The key is fenced for good, so that a restart alone does not make it vote again.
void agreement_driver::carry_out(consensus::alarm& wanted) {
  tell_operator("ALARM: " + wanted.why +
                ". This validator votes for nothing any more. Once the cause is known, move its "
                "record of votes away: it then votes again from the next epoch on");
  record_batch fence;
  fence.votes_from = epoch_number{UINT64_MAX};
  try {
    ports_.votes->write(fence);
  } catch (const lmdb::failure& failure) {
    tell_operator(std::string("and that could not be written down: ") + failure.what());
  }
  end("alarm: " + wanted.why);
}

void agreement_driver::end(const std::string& why) {
  ended_ = true;
  self_->quit(caf::make_error(caf::sec::runtime_error, why));
}

// ---- peers and the operator

void agreement_driver::tell_peers(const peer_message& what,
                                  const std::vector<consensus::peer_number>& to) {
  if (!ports_.peers || peers_.empty()) return;
  const auto body = encode(what);
  self_->send(ports_.peers, message<schema::ToPeers>::build([&](auto out) {
                auto list = out.initTo(static_cast<unsigned>(to.size()));
                for (unsigned i = 0; i < to.size(); ++i) list.set(i, to[i]);
                out.setBody(data_of(body));
              }));
}

void agreement_driver::blame(consensus::peer_number peer, const std::string& why) {
  if (!ports_.peers) return;
  self_->send(ports_.peers, message<schema::ToPeers>::build([&](auto out) {
                out.initTo(1).set(0, peer);
                out.setBlame(why);
              }));
}

void agreement_driver::gossip_in(std::uint64_t ms) {
  if (!std::exchange(gossip_set_, true)) clock_->set(gossip_timer, ms);
}

void agreement_driver::tell_operator(const std::string& line) const {
  if (ports_.tell_operator) return ports_.tell_operator(line);
  std::cerr << "validator: " + line + "\n";
}

}  // namespace soma::actors
