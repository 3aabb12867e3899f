// The agreement core's seam: events in, effects out, no clock, no I/O, no threads. Whoever runs it
// (an actor, the simulation) carries out the effects in order and feeds back what came of them. A
// block is announced only after it is durable; nothing else about it is visible before.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "messages/types/blocks.hpp"

namespace soma::consensus::solo {

/// The last block that is final and durable here, and what the next one needs to know of it.
struct chain_tip {
  chain_id chain;
  epoch_number epoch;   // of the next block
  block_height height;  // 0: nothing but genesis
  std::uint64_t view = 0;  // 0 when the block closed the epoch before
  block_id block;
  std::uint64_t time_ms = 0;
  std::uint64_t epoch_end_ms = 0;  // the first block at or after it closes the epoch
  std::uint16_t seat = 0;          // own index in the committee of that epoch
  friend bool operator==(const chain_tip&, const chain_tip&) = default;
};

// Events. `ticket` names the request that is answered; answers to older requests are passed over.
struct started {};
struct transactions_waiting {};
struct timer_fired {};
struct executed {
  std::uint64_t ticket = 0;
  soma::state_root root;
  bool closes_epoch = false;
  hash256 next_committee;          // zero unless it closes the epoch
  std::uint64_t epoch_end_ms = 0;  // of the epoch that the next block belongs to
  std::uint16_t seat = 0;          // own index in that epoch's committee
};
struct execution_failed {  // could not be finished now, for instance because a role was gone
  std::uint64_t ticket = 0;
};
struct stored {
  std::uint64_t ticket = 0;
};
struct store_failed {  // nothing was written; the core falls silent until it is started anew
  std::uint64_t ticket = 0;
};
using event = std::variant<started, transactions_waiting, timer_fired, executed, execution_failed,
                           stored, store_failed>;

// Effects.
struct execute_candidate {  // run it on the state at its parent; answer executed or
                            // execution_failed
  std::uint64_t ticket = 0;
  block candidate;  // header without state root and flags, no signature yet
};
struct persist_block {  // with its changes, in one storage transaction; answer stored or
                        // store_failed
  std::uint64_t ticket = 0;
  block_id id;
  block whole;
};
struct announce_block {  // it is durable and final
  block_id id;
  block whole;
};
struct set_timer {  // replaces the earlier one
  std::uint64_t at_ms = 0;
};
using effect = std::variant<execute_candidate, persist_block, announce_block, set_timer>;

/// What signs. The key is elsewhere.
struct signer {
  virtual ~signer() = default;
  /// Over H("SX1/prop", block).
  [[nodiscard]] virtual signature sign_block(const block_id& block) = 0;
};

/// Where a proposer takes its payload from. Taking removes nothing: what a block contains leaves
/// when it is announced.
struct payload_source {
  virtual ~payload_source() = default;
  struct item {
    transaction_id id;
    signed_transaction transaction;
  };
  /// In the order of execution, within both limits; sizes are those of the signed bytes.
  [[nodiscard]] virtual std::vector<item> next_payload(std::size_t max_bytes,
                                                       std::size_t max_count) const = 0;
  [[nodiscard]] virtual bool empty() const = 0;
};

class agreement {
 public:
  virtual ~agreement() = default;
  /// `now_ms` never runs backwards by intent; if it does, block times still grow.
  [[nodiscard]] virtual std::vector<effect> step(const event& e, std::uint64_t now_ms) = 0;
  [[nodiscard]] virtual const chain_tip& tip() const = 0;
  /// False once a store failed: it proposes nothing more.
  [[nodiscard]] virtual bool running() const = 0;
};

/// Bytes of a signed transaction that count towards a block's payload.
[[nodiscard]] inline std::size_t payload_size(const signed_transaction& t) {
  return t.body.size() + t.by_sender.size();
}

}  // namespace soma::consensus::solo
