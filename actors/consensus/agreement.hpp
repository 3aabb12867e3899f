// The events, effects and ports of the consensus core. The core agrees with other validators on one
// chain (Simplex, weighted by stake, a block is executed before it is voted for). It is pure: it
// takes events and returns effects, and it has no clock, no I/O and no threads. The machine that
// runs it (runner.hpp), an actor or a simulated one, carries out the effects in their order and
// gives their results back as events. What must hold:
//   - A vote or a proposal is sent only after the batch that records it is durable. The core holds
//     such a message back and returns it in answer to `stored`.
//   - The machine answers `persist` in the order in which the core gave the batches out.
//   - Timers fire on time or late, never early. Messages may be lost, doubled, reordered or forged.
//   - After a crash a new core starts from the ledger and the voting record and nothing else.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "actors/consensus/committee.hpp"
#include "messages/values/votes.hpp"

namespace soma::consensus {

/// The caller's number for a connected peer. While the core lives, a number is never given to
/// another key.
using peer_number = std::uint32_t;

/// The base: the last final block that the ledger holds, and the epoch of the next block.
struct chain_position {
  chain_id chain;
  epoch_number epoch;
  view_number view;  // 0 when the block closed the previous epoch
  block_id block;    // signing::genesis_parent at height 0
  block_height height;
  std::uint64_t time_ms = 0;
  soma::state_root root;  // after the block
  /// The time of the block that closed the previous epoch, or the time of the genesis.
  std::uint64_t epoch_start_ms = 0;
  std::uint64_t epoch_end_ms = 0;    // the first block with this time or a later one closes it
  std::optional<certificate> final;  // finalizes the block; absent when it is not at hand
  std::vector<committee_seat> seats;
  /// Of this epoch: the entropy after the block that closed epoch - 2, or the chain's id if there
  /// is none.
  hash256 leader_seed;
  /// Of the next epoch: the entropy after the block that closed epoch - 1, or the chain's id.
  hash256 next_leader_seed;
};

/// The result of executing a block.
struct execution_result {
  bool follows = false;  // false when the rules do not let such a block follow this state
  soma::state_root root;
  bool closes_epoch = false;
  std::uint64_t epoch_end_ms = 0;              // of the epoch that the next block belongs to
  std::vector<committee_seat> next_committee;  // empty unless the block closes the epoch
  hash256 peel;     // of the proposer's onion: the machine finds it for a draft. Protocol §7.1
  hash256 entropy;  // after the block
};

// ---- events

struct started {};
struct payload_waiting {};
enum class timer_kind : std::uint8_t { view, propose, hold, standstill, fetch, listen };
inline constexpr std::size_t timer_kinds = 6;
struct timer_fired {
  timer_kind kind{};
};
/// Every message that arrives from this peer before `peer_gone` was sent after both sides had
/// connected.
struct peer_connected {
  peer_number peer = 0;
  public_key key{};  // the peer has proven that it holds this key
};
struct peer_gone {
  peer_number peer = 0;
};
struct received {
  peer_number from = 0;
  std::shared_ptr<const peer_message> message;
};
struct stored {
  std::uint64_t ticket = 0;
};
/// Nothing of the batch was written. The core signs nothing until store_works.
struct store_failed {
  std::uint64_t ticket = 0;
};
/// The disk has room again.
struct store_works {};
struct executed {
  std::uint64_t ticket = 0;
  execution_result result;
};
/// The execution could not be finished now, for instance because a role was down.
struct execution_failed {
  std::uint64_t ticket = 0;
  bool parent_forgotten = false;  // the results of its ancestors are gone: execute them again
};
struct committed {
  std::uint64_t ticket = 0;
};
using event =
    std::variant<started, payload_waiting, timer_fired, peer_connected, peer_gone, received, stored,
                 store_failed, store_works, executed, execution_failed, committed>;

// ---- effects

/// Asks for one durable write. The answer is stored or store_failed.
struct persist {
  std::uint64_t ticket = 0;
  record_batch batch;
};
struct send {
  std::vector<peer_number> to;  // empty means all connected peers
  std::shared_ptr<const peer_message> message;
};
/// Sets the timer of this kind. This replaces its earlier moment, which then never fires. The time
/// is relative, so that a clock that jumps does not delay the timer.
struct set_timer {
  timer_kind kind{};
  std::uint64_t after_ms = 0;
};
/// Asks to execute this block on the state after its parent, which is the last committed block or
/// has been executed. A draft has no state root, flags, next committee or signature yet; its result
/// is kept under the id that the header gets from complete(). The answer is executed or
/// execution_failed.
struct execute {
  std::uint64_t ticket = 0;
  block_ptr candidate;
  bool draft = false;
};
/// A block for the ledger, with what proves that it is final.
struct final_block {
  block_ptr block;
  std::optional<certificate> final;  // finalizes this very block
  std::optional<epoch_proof> epoch_end;
};
/// Asks to append the blocks to the ledger in order, each with the effects of its execution. The
/// answer is committed. A failure ends the process, and a new process finds the ledger as the last
/// whole commit left it.
struct commit {
  std::uint64_t ticket = 0;
  std::vector<final_block> blocks;
};
/// The base has moved to this block. Executions on other chains are of no more use.
struct base_moved {
  block_id base;
};
/// One key has signed two statements that exclude each other. The machine should report it in a
/// transaction.
struct report {
  tx::report_equivocation evidence;
};
/// A peer has sent something that an honest peer never sends.
struct blame {
  peer_number peer = 0;
  std::string why;
};
/// The core has seen a violation of safety (R12). It signs nothing more, and a person has to look.
struct alarm {
  std::string why;
};
using effect =
    std::variant<persist, send, set_timer, execute, commit, base_moved, report, blame, alarm>;

// ---- ports: lookups and keys; a call of a port never waits for another process

/// Signs with the key of this process. The key itself never enters the core.
struct signer {
  virtual ~signer() = default;
  [[nodiscard]] virtual const public_key& key() const = 0;
  [[nodiscard]] virtual signature sign_block(const block_id& block) = 0;  // H("SX1/prop", block)
  [[nodiscard]] virtual signature sign_vote(const vote_statement& vote) = 0;
};
struct signature_checker {
  virtual ~signature_checker() = default;
  [[nodiscard]] virtual bool block_is_signed(const public_key& by, const block_id& block,
                                             const signature& s) = 0;
  [[nodiscard]] virtual bool vote_is_signed(const public_key& by, const vote_statement& vote,
                                            const signature& s) = 0;
};

/// The source of a proposer's payload. Taking a payload removes nothing from it: transactions leave
/// when a block that contains them is committed.
struct payload_source {
  virtual ~payload_source() = default;
  /// Transactions in the order of execution, within both limits, without those that `ancestors`
  /// contain. `ancestors` are executed and not yet committed, oldest first. Sizes count the bytes
  /// that payload_size counts.
  [[nodiscard]] virtual std::vector<signed_transaction> next_payload(
      const std::vector<block_ptr>& ancestors, std::size_t max_bytes,
      std::size_t max_count) const = 0;
};

/// The blocks of the ledger, for peers that are behind.
struct block_archive {
  virtual ~block_archive() = default;
  [[nodiscard]] virtual block_ptr find(const block_id& id) const = 0;  // null when unknown
  /// Final blocks in order, all of one epoch, with what proves the last one: its own certificate or
  /// the end of its epoch.
  struct chain_segment {
    epoch_number epoch;
    std::vector<block_ptr> blocks;
    std::optional<certificate> final;
    std::optional<epoch_proof> epoch_end;
  };
  /// The final blocks after this height; without blocks when the ledger has none there.
  [[nodiscard]] virtual chain_segment after(block_height height, std::size_t max_bytes,
                                            std::size_t max_count) const = 0;
};

struct ports {
  signer& key;
  signature_checker& checker;
  const payload_source& payload;
  const block_archive& archive;
};

/// The bytes of a signed transaction that count towards a block's payload: body and signature.
[[nodiscard]] inline std::size_t payload_size(const signed_transaction& t) {
  return t.body.size() + t.by_sender.size();
}

/// A draft's header, completed with the result of its execution.
[[nodiscard]] block_header complete(block_header draft, const execution_result& result);

}  // namespace soma::consensus
