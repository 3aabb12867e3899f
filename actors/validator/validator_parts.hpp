// What the parts of one validator tell each other. Each part knows this interface and none of the
// other parts; the validator itself stands behind it and passes on what it hears.
//   - Every call is made on the validator's own thread, and may come out of the middle of a part's
//   own
//     work: a part is in order before it calls.
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

  // What comes of the consensus and of the peers.

  /// A block is in the ledger, durable. Each is told once, in order.
  virtual void block_committed(const consensus::final_block& committed, const rules::effects& done,
                               std::uint64_t registry_version_before) = 0;
  /// A validator has signed two statements that exclude each other.
  virtual void equivocation_found(tx::report_equivocation evidence) = 0;
  virtual void transactions_arrived(consensus::peer_number peer,
                                    const peer::transactions& batch) = 0;
  virtual void state_asked_for(consensus::peer_number peer, const peer::ask_state& asked) = 0;
  virtual void peer_gone(consensus::peer_number peer) = 0;
  /// The time that batch_begun asked for has passed.
  virtual void batch_is_due() = 0;

  // What comes of the transactions that wait.

  /// There is something new to propose.
  virtual void transaction_pooled() = 0;
  /// Transactions wait to be passed on to the peers: batch_is_due is wanted soon.
  virtual void batch_begun() = 0;
  virtual void send_to_all_peers(const peer_message& message) = 0;

  /// Sends a vote, a transaction of the validator's own. One that the pool has no room for is lost:
  /// the audit is found again when the validator starts anew.
  virtual void vote(transaction_kind kind) = 0;

  /// One line.
  virtual void notify_operator(const std::string& line) = 0;
};

}  // namespace soma::validator
