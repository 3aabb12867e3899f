// Agreement among validators (Simplex, stake-weighted, executed before voting) as a pure core:
// events in, effects out; no clock, no I/O, no threads. The machine that runs it (runner.hpp), an
// actor or a simulated one, carries out the effects in their order and feeds back what came of
// them. What must hold:
//   - A vote or a proposal leaves only after the batch that remembers it is durable; effects that
//     wait for that are held in here and come out with the answer to the batch.
//   - Answers to `persist` come in the order in which the batches were given out.
//   - Timers fire late or on time, never early; messages may be lost, doubled, reordered, forged.
//   - After a crash a new core starts from what the ledger and the record hold, nothing else.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "actors/consensus/committee.hpp"
#include "messages/values/votes.hpp"

namespace soma::consensus {

/// A connected peer, as the caller numbers them. Numbers are not used again for another key while
/// the core lives.
using peer_number = std::uint32_t;

/// The last final block as the ledger holds it, and the epoch of the next one.
struct chain_position {
  chain_id chain;
  epoch_number epoch;
  std::uint64_t view = 0;  // 0 when the block closed the epoch before
  block_id block;          // rules::genesis_parent at height 0
  block_height height;
  std::uint64_t time_ms = 0;
  soma::state_root root;             // after the block
  std::uint64_t epoch_start_ms = 0;  // time of the block that closed the epoch before, or birth
  std::uint64_t epoch_end_ms = 0;    // the first block at or after it closes the epoch
  std::optional<certificate> final;  // for the block, if there is one at hand
  std::vector<committee_seat> seats;
  hash256 leader_seed;       // of this epoch: id of the block that closed epoch - 2, or the chain's
  hash256 next_leader_seed;  // of the next: id of the block that closed epoch - 1, or the chain's
};

/// What came of executing a block.
struct execution_result {
  bool follows = false;  // false: the rules say that such a block can't follow this state
  soma::state_root root;
  bool closes_epoch = false;
  std::uint64_t epoch_end_ms = 0;              // of the epoch that the next block belongs to
  std::vector<committee_seat> next_committee;  // when it closes the epoch
};

// ---- events

struct started {};
struct payload_waiting {};
enum class timer_kind : std::uint8_t { view, propose, hold, standstill, fetch, listen };
inline constexpr std::size_t timer_kinds = 6;
struct timer_fired {
  timer_kind kind{};
};
/// What is received from it before it is gone was sent after both sides were up.
struct peer_connected {
  peer_number peer = 0;
  public_key key{};  // that it has shown to hold
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
struct store_failed {  // nothing of the batch was written. Nothing is signed until store_works
  std::uint64_t ticket = 0;
};
struct store_works {};  // there is room again
struct executed {
  std::uint64_t ticket = 0;
  execution_result result;
};
struct execution_failed {  // could not be finished now, for instance because a role was gone
  std::uint64_t ticket = 0;
  bool parent_forgotten = false;  // what its ancestors' executions gave is not there any more
};
struct committed {
  std::uint64_t ticket = 0;
};
using event =
    std::variant<started, payload_waiting, timer_fired, peer_connected, peer_gone, received, stored,
                 store_failed, store_works, executed, execution_failed, committed>;

// ---- effects

/// One durable write; answer stored or store_failed.
struct persist {
  std::uint64_t ticket = 0;
  record_batch batch;
};
struct send {
  std::vector<peer_number> to;  // empty: all that are connected
  std::shared_ptr<const peer_message> message;
};
/// Replaces the earlier one of its kind, which then never fires. Relative, so that a clock that
/// jumps does not hold it up.
struct set_timer {
  timer_kind kind{};
  std::uint64_t after_ms = 0;
};
/// Run this block on the state at its parent, which is the last committed block or one executed
/// before. A draft has neither state root, flags, next committee nor signature yet; its result is
/// known afterwards under the id that complete() gives it. Answer executed or execution_failed.
struct execute {
  std::uint64_t ticket = 0;
  block_ptr candidate;
  bool draft = false;
};
/// Append to the ledger, in order, each block with what its execution did and with what proves it;
/// answer committed. A failure ends the process: the ledger is found as the last commit left it.
struct final_block {
  block_ptr block;
  std::optional<certificate> final;  // of this very block
  std::optional<epoch_proof> epoch_end;
};
struct commit {
  std::uint64_t ticket = 0;
  std::vector<final_block> blocks;
};
/// The base moved: executions that do not stand on this block are of no more use.
struct base_moved {
  block_id base;
};
/// Two statements by one key that exclude each other; worth a transaction.
struct report {
  tx::report_equivocation evidence;
};
/// A peer sent what an honest peer never sends.
struct blame {
  peer_number peer = 0;
  std::string why;
};
/// Something that must not happen has happened (R12, a violation of safety): the core signs nothing
/// more, and a person has to look.
struct alarm {
  std::string why;
};
using effect =
    std::variant<persist, send, set_timer, execute, commit, base_moved, report, blame, alarm>;

// ---- ports: pure lookups and keys; no waiting behind any of them

/// Signs with the key of this process, which itself stays elsewhere.
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

/// Where a proposer takes its payload from. Taking removes nothing: what a block contains leaves
/// when it is committed.
struct payload_source {
  virtual ~payload_source() = default;
  /// In the order of execution, within both limits, without what `ancestors` contain: blocks
  /// executed but not yet committed, oldest first. Sizes are those of the signed bytes.
  [[nodiscard]] virtual std::vector<signed_transaction> next_payload(
      const std::vector<block_ptr>& ancestors, std::size_t max_bytes,
      std::size_t max_count) const = 0;
};

/// What the ledger can tell others who are behind.
struct block_archive {
  virtual ~block_archive() = default;
  [[nodiscard]] virtual block_ptr find(const block_id& id) const = 0;  // null: unknown
  /// Final blocks that follow this height, in order, all of one epoch, with what proves the last
  /// one: its own certificate, or its epoch's end. Empty without any.
  struct chain_segment {
    epoch_number epoch;
    std::vector<block_ptr> blocks;
    std::optional<certificate> final;
    std::optional<epoch_proof> epoch_end;
  };
  [[nodiscard]] virtual chain_segment after(block_height height, std::size_t max_bytes,
                                            std::size_t max_count) const = 0;
};

struct ports {
  signer& key;
  signature_checker& checker;
  const payload_source& payload;
  const block_archive& archive;
};

/// Bytes of a signed transaction that count towards a block's payload.
[[nodiscard]] inline std::size_t payload_size(const signed_transaction& t) {
  return t.body.size() + t.by_sender.size();
}

/// A draft's header with what its execution gave it.
[[nodiscard]] block_header complete(block_header draft, const execution_result& result);

}  // namespace soma::consensus
