// The interface through which the parts of one validator reach each other. A part knows only this
// interface and not the other parts. The validator implements it and passes each call on. What must
// hold:
//   - Every call is made on the validator's own thread.
//   - A part may be called again before its own call returns, so its state is consistent before it
//     calls.
#pragma once

#include <cstdint>
#include <string>

#include "actors/consensus/agreement.hpp"
#include "actors/rules/execution.hpp"
#include "messages/values/transactions.hpp"
#include "messages/values/votes.hpp"

namespace soma::validator {

class validator_parts {
 public:
  validator_parts() = default;
  validator_parts(const validator_parts&) = delete;
  validator_parts& operator=(const validator_parts&) = delete;
  virtual ~validator_parts() = default;

  // Calls of the parts that run the consensus and hear the peers.

  /// A block is durable in the ledger. The call is made once for each block, in order of height.
  virtual void block_committed(const consensus::final_block& committed, const rules::effects& done,
                               std::uint64_t registry_version_before) = 0;
  /// A validator has signed two statements that exclude each other.
  virtual void equivocation_found(tx::report_equivocation evidence) = 0;
  virtual void transactions_arrived(consensus::peer_number peer,
                                    const peer::transactions& batch) = 0;
  virtual void state_asked_for(consensus::peer_number peer, const peer::ask_state& asked) = 0;
  virtual void peer_gone(consensus::peer_number peer) = 0;
  /// batch_ms have passed since batch_begun.
  virtual void batch_is_due() = 0;

  // Calls of the part that takes transactions in.

  /// The mempool holds a new transaction that can be proposed.
  virtual void transaction_pooled() = 0;
  /// The first transaction of a batch for the peers waits. The callee calls batch_is_due after
  /// batch_ms.
  virtual void batch_begun() = 0;
  virtual void send_to_all_peers(const peer_message& message) = 0;
  /// The peer has sent what no correct validator sends (security §6.4).
  virtual void misbehaved(consensus::peer_number peer, const std::string& why) = 0;

  /// Sends a vote as a transaction of this validator. It comes again until a block has executed it.
  virtual void vote(transaction_kind kind) = 0;

  /// `line` is one line of text without a line break.
  virtual void notify_operator(const std::string& line) = 0;
};

}  // namespace soma::validator
