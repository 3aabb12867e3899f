#include "actors/consensus/solo_agreement.hpp"

#include <algorithm>

#include "messages/crypto/transactions.hpp"
#include "messages/types/assert.hpp"

namespace soma::consensus::solo {
namespace {

template <class Event>
bool answers(const Event* e, std::uint64_t ticket) {
  return e != nullptr && e->ticket == ticket;
}

}  // namespace

solo_agreement::solo_agreement(const chain_tip& tip, signer& key, const payload_source& payload,
                               solo_options options)
    : tip_(tip), key_(key), payload_(payload), options_(options), retry_ms_(options.retry_ms) {}

std::vector<effect> solo_agreement::step(const event& e, std::uint64_t now_ms) {
  std::vector<effect> out;
  switch (stage_) {
    case stage::fresh:
      if (std::holds_alternative<started>(e)) {
        stage_ = stage::idle;
        propose_or_wait(now_ms, out);
      }
      break;
    case stage::idle:
      if (std::holds_alternative<timer_fired>(e) ||
          std::holds_alternative<transactions_waiting>(e)) {
        propose_or_wait(now_ms, out);
      }
      break;
    case stage::executing:
      if (const auto* done = std::get_if<executed>(&e); answers(done, ticket_))
        on_executed(*done, out);
      if (answers(std::get_if<execution_failed>(&e), ticket_)) on_failed(now_ms, out);
      break;
    case stage::storing:
      if (answers(std::get_if<stored>(&e), ticket_)) on_stored(now_ms, out);
      if (answers(std::get_if<store_failed>(&e), ticket_)) stage_ = stage::silent;
      break;
    case stage::silent:
      break;
  }
  return out;
}

void solo_agreement::propose_or_wait(std::uint64_t now_ms, std::vector<effect>& out) {
  const bool wanted = !payload_.empty() || now_ms >= tip_.epoch_end_ms;
  if (wanted && now_ms >= not_before_ms_) {
    propose(now_ms, out);
  } else {
    // Waiting transactions wake it too, so without any the end of the epoch is what there is to
    // wait for.
    out.push_back(set_timer{wanted ? not_before_ms_ : std::max(tip_.epoch_end_ms, not_before_ms_)});
  }
}

void solo_agreement::propose(std::uint64_t now_ms, std::vector<effect>& out) {
  candidate_ = {};
  auto& h = candidate_.header;
  h.chain = tip_.chain;
  h.epoch = tip_.epoch;
  h.height = tip_.height.next();
  h.view = tip_.view + 1;
  h.parent_view = tip_.view;
  h.parent = tip_.block;
  h.time_ms = std::max(now_ms, tip_.time_ms + 1);
  h.proposer = tip_.seat;
  if (tip_.view != 0) candidate_.parent_signers.add(tip_.seat);
  std::size_t size = 0;
  for (auto& item : payload_.next_payload(max_block_payload_bytes, max_block_transactions)) {
    size += payload_size(item.transaction);
    candidate_.payload.push_back(std::move(item.transaction));
  }
  SOMA_ASSERT(
      size <= max_block_payload_bytes && candidate_.payload.size() <= max_block_transactions,
      "a payload source keeps to its limits");
  h.payload_root = crypto::payload_root(candidate_.payload, candidate_.parent_signers);
  h.payload_bytes = static_cast<std::uint32_t>(size);
  h.transactions = static_cast<std::uint32_t>(candidate_.payload.size());
  stage_ = stage::executing;
  out.push_back(execute_candidate{++ticket_, candidate_});
}

void solo_agreement::on_executed(const executed& e, std::vector<effect>& out) {
  auto& h = candidate_.header;
  h.state_root = e.root;
  h.flags = e.closes_epoch ? block_closes_epoch : std::uint16_t{0};
  h.next_committee = e.next_committee;
  candidate_id_ = crypto::id_of(h);
  candidate_.by_proposer = key_.sign_block(candidate_id_);
  result_ = e;
  stage_ = stage::storing;
  out.push_back(persist_block{++ticket_, candidate_id_, candidate_});
}

void solo_agreement::on_failed(std::uint64_t now_ms, std::vector<effect>& out) {
  stage_ = stage::idle;
  not_before_ms_ = now_ms + retry_ms_;
  retry_ms_ = std::min(retry_ms_ * 2, options_.max_retry_ms);
  out.push_back(set_timer{not_before_ms_});
}

void solo_agreement::on_stored(std::uint64_t now_ms, std::vector<effect>& out) {
  const auto& h = candidate_.header;
  tip_.epoch = result_.closes_epoch ? h.epoch.next() : h.epoch;
  tip_.height = h.height;
  tip_.view = result_.closes_epoch ? 0 : h.view;
  tip_.block = candidate_id_;
  tip_.time_ms = h.time_ms;
  tip_.epoch_end_ms = result_.epoch_end_ms;
  tip_.seat = result_.seat;
  retry_ms_ = options_.retry_ms;
  not_before_ms_ = now_ms + options_.block_interval_ms;
  stage_ = stage::idle;
  out.push_back(announce_block{candidate_id_, std::move(candidate_)});
  // The announcement empties the pool of what the block contains; whether to go on is seen when the
  // timer fires.
  out.push_back(set_timer{not_before_ms_});
}

}  // namespace soma::consensus::solo
