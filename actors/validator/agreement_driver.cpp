#include "actors/validator/agreement_driver.hpp"

#include <algorithm>

#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/signing/signing.hpp"

namespace soma::validator {
namespace {

constexpr std::uint64_t retry_ms = 1'000;

/// Translates the validator's timing into the core's. A view lasts longer than the pause before an
/// empty block, so that waiting for transactions does not end a view.
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

agreement_driver::agreement_driver(validator_actor::pointer self, validator_parts& parts,
                                   const validator_ports& ports, const validator_options& options,
                                   const crypto::key_pair& key, const soma::genesis& genesis,
                                   std::shared_ptr<block_executor> executor,
                                   const consensus::payload_source& payload)
    : self_(self),
      parts_(parts),
      ports_(ports),
      signer_(key, signing::chain_id_of(genesis)),
      checker_(signing::chain_id_of(genesis)),
      archive_(*ports_.ledger),
      executor_(std::move(executor)) {
  recall(genesis, options, payload);
}

/// Builds the core from the ledger and the voting record. Nothing else survives a restart.
void agreement_driver::recall(const soma::genesis& genesis, const validator_options& options,
                              const consensus::payload_source& payload) {
  const auto base =
      execution::position_of(ports_.ledger->view(), genesis, executor_->state().tree().root());
  auto past = ports_.votes->recall();
  if (past.state == consensus::record_state::missing) {
    if (base.seats.size() == 1 && base.seats[0].consensus_key == signer_.key()) {
      // No other validator counts its votes, so the votes it has lost cannot do harm. A fence at
      // the present epoch forbids nothing, and marks the record as complete from here on.
      record_batch begun;
      begun.votes_from = base.epoch;
      ports_.votes->write(begun);
      past.state = consensus::record_state::fresh;
    } else {
      parts_.notify_operator(
          "there is no whole record of what this validator's key has voted" +
          (ports_.votes->damage().empty() ? "" : " (" + ports_.votes->damage() + ")") +
          ": it votes for nothing until the next epoch begins");
    }
  }
  runner_ = std::make_unique<consensus::runner>(
      consensus::simplex(base, std::move(past), {signer_, checker_, payload, archive_},
                         pace_of(options, signer_.key())),
      static_cast<consensus::effect_ports&>(*this));
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

void agreement_driver::enqueue(consensus::event event, std::optional<ack> taken) {
  events_.push_back({std::move(event), std::move(taken)});
  clock_->look();
}

void agreement_driver::on_wake(std::uint64_t now_ms, const std::vector<std::size_t>& due) {
  now_ms_ = now_ms;
  for (const auto timer : due) {
    if (timer == gossip_timer) {
      gossip_set_ = false;
      parts_.batch_is_due();
    } else if (timer == retry_timer) {
      retry();
    } else {
      runner_->run(consensus::timer_fired{static_cast<consensus::timer_kind>(timer)}, now_ms_);
    }
  }
  while (!events_.empty() && !runner_->is_stopped()) {
    auto next = std::move(events_.front());
    events_.pop_front();
    if (std::holds_alternative<consensus::payload_waiting>(next.event)) payload_announced_ = false;
    runner_->run(std::move(next.event), now_ms_);
    if (next.taken) next.taken->deliver(message<schema::Ack>{});
  }
}

/// Tries again what failed: a full disk may have room again, and a role that an execution needs may
/// have been restarted.
void agreement_driver::retry() {
  if (is_full_) {
    try {
      ports_.votes->resume();
      runner_->run(consensus::store_works{}, now_ms_);
    } catch (const lmdb::failure& failure) {
      if (failure.code() != lmdb::failure_code::storage_full) return end(failure.what());
    }
  }
  executor_->try_again();
  if (is_full_ || is_committing_) clock_->set(retry_timer, retry_ms);
}

void agreement_driver::payload_waiting() {
  if (std::exchange(payload_announced_, true)) return;
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
      parts_.peer_gone(peer);
      break;
    case schema::FromPeer::SENT:
      if (peers_.contains(peer)) answered_later = take_sent(peer, root.getSent(), promise);
      break;
  }
  if (!answered_later) promise.deliver(message<schema::Ack>{});
  return promise;
}

bool agreement_driver::take_sent(consensus::peer_number peer, schema::FromPeer::Sent::Reader sent,
                                 const std::optional<ack>& taken) {
  auto message = decode_frame(sent.getType(), view_of(sent.getBody()));
  if (!message) {
    blame(peer, "it sent no valid message: " + std::string(to_text(message.error())));
    return false;
  }
  if (const auto* list = std::get_if<peer::transactions>(&*message)) {
    parts_.transactions_arrived(peer, *list);
    return false;
  }
  if (const auto* asked = std::get_if<peer::ask_state>(&*message)) {
    parts_.state_asked_for(peer, *asked);
    return false;
  }
  // A state_part answers a question that was asked before this process had its ledger. Messages
  // about blobs are for another role.
  if (std::holds_alternative<peer::state_part>(*message) || is_about_blobs(sent.getType())) {
    return false;
  }
  enqueue(consensus::received{peer, std::make_shared<const peer_message>(std::move(*message))},
          taken);
  return true;
}

// ---- effects

void agreement_driver::apply(consensus::persist wanted) {
  try {
    ports_.votes->write(wanted.batch);
  } catch (const lmdb::failure& failure) {
    if (failure.code() != lmdb::failure_code::storage_full) return end(failure.what());
    if (!std::exchange(is_full_, true)) {
      parts_.notify_operator(
          "there is no room for the record of votes: the validator votes for nothing");
    }
    runner_->answer(consensus::store_failed{wanted.ticket});
    return clock_->set(retry_timer, retry_ms);
  }
  if (std::exchange(is_full_, false))
    parts_.notify_operator("there is room again: the validator votes");
  runner_->answer(consensus::stored{wanted.ticket});
}

void agreement_driver::apply(consensus::send wanted) {
  send_to_peers(*wanted.message, wanted.to);
}

void agreement_driver::apply(consensus::set_timer wanted) {
  clock_->set(static_cast<std::size_t>(wanted.kind), wanted.after_ms);
}

void agreement_driver::apply(consensus::execute wanted) {
  const auto done = [weak = weak_from_this(), ticket = wanted.ticket](const auto& result) {
    const auto me = weak.lock();
    if (!me) return;
    consensus::event answer = consensus::execution_failed{ticket};
    if (result) answer = consensus::executed{ticket, *result};
    if (me->runner_->is_running()) return me->runner_->answer(answer);
    me->enqueue(std::move(answer));
  };
  if (wanted.draft) return executor_->execute_draft(wanted.candidate, done);
  executor_->execute(wanted.candidate, done);
}

void agreement_driver::apply(consensus::commit wanted) {
  const auto done = [weak = weak_from_this(), ticket = wanted.ticket] {
    const auto me = weak.lock();
    if (!me) return;
    me->is_committing_ = false;
    if (me->runner_->is_running()) {
      return me->runner_->answer(consensus::committed{ticket});
    }
    me->enqueue(consensus::committed{ticket});
  };
  is_committing_ = true;
  try {
    executor_->commit(std::move(wanted.blocks), done);
  } catch (const lmdb::failure& failure) {
    // Nothing of the block was announced; the ledger is as the last commit left it.
    return end(failure.what());
  }
  if (is_committing_) clock_->set(retry_timer, retry_ms);
}

void agreement_driver::apply(consensus::base_moved wanted) {
  executor_->base_moved(wanted.base);
}

void agreement_driver::apply(consensus::report wanted) {
  parts_.equivocation_found(std::move(wanted.evidence));
}

void agreement_driver::apply(consensus::blame wanted) {
  blame(wanted.peer, wanted.why);
}

/// Writes a fence without an end into the record, so that a restart alone does not let the key vote
/// again.
void agreement_driver::apply(consensus::alarm wanted) {
  parts_.notify_operator(
      "ALARM: " + wanted.why +
      ". This validator votes for nothing any more. Once the cause is known, move its "
      "record of votes away: it then votes again from the next epoch on");
  record_batch fence;
  fence.votes_from = epoch_number{UINT64_MAX};
  try {
    ports_.votes->write(fence);
  } catch (const lmdb::failure& failure) {
    parts_.notify_operator(
        std::string("the alarm could not be written into the record of votes: ") + failure.what());
  }
  end("alarm: " + wanted.why);
}

void agreement_driver::end(const std::string& why) {
  runner_->stop();
  self_->quit(caf::make_error(caf::sec::runtime_error, why));
}

// ---- peers and the operator

void agreement_driver::send_to_peers(const peer_message& said,
                                     const std::vector<consensus::peer_number>& to) {
  if (!ports_.peers || peers_.empty()) return;
  const auto body = encode(said);
  self_->send(ports_.peers, message<schema::ToPeers>::build([&](auto out) {
                auto list = out.initTo(static_cast<unsigned>(to.size()));
                for (unsigned i = 0; i < to.size(); ++i) list.set(i, to[i]);
                out.setType(frame_type_of(said));
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

}  // namespace soma::validator
