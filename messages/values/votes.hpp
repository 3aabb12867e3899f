// What validators say to each other to agree on blocks, and what each of them has to remember of
// it. Plain values; their bytes: messages/codec/codec_consensus.hpp. What they mean: the headers
// of actors/consensus.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "messages/values/blocks.hpp"
#include "messages/values/rows.hpp"
#include "messages/values/signer_set.hpp"

namespace soma::inline values {

/// A block under its id, as it is handed around: never altered, shared, hashed once.
struct identified_block {
  block_id id;
  soma::block block;
};
using block_ptr = std::shared_ptr<const identified_block>;

/// One member's vote.
struct member_vote {
  vote_statement statement;
  std::uint16_t signer = 0;  // index in the committee; not signed, the key tells
  signature by_signer{};
  friend bool operator==(const member_vote&, const member_vote&) = default;
};

/// Votes of a quorum for one thing. Several exist for one thing: never hashed into an id.
struct certificate {
  vote_statement statement;
  signer_set signers;
  std::vector<signature> signatures;  // one a signer, in order of index
  friend bool operator==(const certificate&, const certificate&) = default;
};

/// That an epoch is over: the block that closed it, the fillers after it up to the one that the
/// certificate finalizes (none when it finalizes the closing block itself), and who comes next.
struct epoch_proof {
  std::vector<block_header> headers;  // the closing one first; at most max_proof_headers
  certificate final;
  std::vector<committee_seat> next_committee;  // counters are zero
  friend bool operator==(const epoch_proof&, const epoch_proof&) = default;
};

inline constexpr std::size_t max_proof_headers = 256;
inline constexpr std::size_t max_inline_skips = 64;
inline constexpr std::size_t max_response_blocks = 64;
inline constexpr std::size_t max_response_bytes = std::size_t{1} << 20;
inline constexpr std::size_t max_response_certificates = 192;  // of 64 views
inline constexpr std::size_t max_state_data_bytes = std::size_t{512} << 10;

namespace peer {

/// On connecting and now and then: where I am.
struct hello {
  chain_id chain;
  epoch_number epoch;
  block_height height;  // a claim; only certificates count
  std::uint64_t view = 0;
  /// The latest epoch that the sender's votes can have let begin: its own, the next one once it has
  /// voted to finalize the end of its own, any (UINT64_MAX) when it does not remember its votes.
  epoch_number latest_epoch;
  bool asks = false;  // for a hello in return
};
/// A leader's block and why it may stand on its parent.
struct proposal {
  block_ptr block;
  std::optional<certificate> parent;  // notarize or finalize; absent when the parent is the base
  std::vector<certificate> skipped;   // of views between the parent's and this one
};
struct vote {
  member_vote signed_vote;
};
struct certified {
  soma::certificate certificate;
};
/// Nothing became final for a while: everything that may be missing elsewhere.
struct standstill {
  std::vector<certificate> certificates;
  std::vector<member_vote> votes;  // the sender's own
};
/// What is missing here.
struct request {
  epoch_number epoch;
  block_height after;           // the asker's last final block
  std::uint64_t from_view = 0;  // certificates from here on
  block_id want;                // a block and its ancestors; zero: none
};
struct response {
  epoch_number epoch;
  std::vector<certificate> certificates;
  std::vector<block_ptr> blocks;     // ancestors of `want`, or final blocks after `after` in order
  std::optional<certificate> final;  // of the last of final blocks
  std::optional<epoch_proof> epoch_end;  // when the last final block closed the asker's epoch
};
struct epoch_over {
  epoch_number epoch;
  epoch_proof proof;
};
/// For the block to come; agreement itself does not look at it.
struct transactions {
  std::vector<signed_transaction> list;
};
/// For one who comes late and wants the ledger rather than all blocks; agreement does not look at
/// this and its answer. How did this epoch end, and which snapshot is there? Or, with a height: a
/// piece of the snapshot of that height.
struct ask_state {
  epoch_number epoch;
  block_height height;      // 0: no piece
  std::uint32_t chunk = 0;  // of the snapshot
  std::uint32_t from = 0;   // first byte of the piece in its chunk
};
struct state_part {
  epoch_number epoch;              // as it was asked
  std::optional<epoch_proof> end;  // absent: it is not over here or not known, or a piece was asked
  block_height height;             // of the snapshot that is here now; 0: there is none
  std::uint32_t chunks = 0;        // of it
  std::uint32_t chunk = 0;         // as they were asked
  std::uint32_t from = 0;
  std::uint32_t chunk_bytes = 0;  // of the whole chunk that the piece is of
  bytes data;          // at most max_state_data_bytes; empty: there is no such piece here
  bool later = false;  // too much was asked for of late: nothing else here counts, ask again
};

}  // namespace peer

using peer_message = std::variant<peer::hello, peer::proposal, peer::vote, peer::certified,
                                  peer::standstill, peer::request, peer::response, peer::epoch_over,
                                  peer::transactions, peer::ask_state, peer::state_part>;

/// Everything of one epoch that a validator must remember across a crash. What it is not sure to
/// remember it has not said.
struct voting_record {
  chain_id chain;
  public_key key{};         // whose votes these are
  epoch_number votes_from;  // fenced: votes in no epoch before this one
  epoch_number epoch;       // that the rest belongs to
  using view_and_kind = std::pair<std::uint64_t, vote_kind>;  // view and kind
  std::map<view_and_kind, block_id> votes;
  std::map<std::uint64_t, block_id> proposed;  // by view
  std::map<view_and_kind, certificate> certificates;
  std::map<block_id, block_ptr> blocks;  // not yet in the ledger
};

/// One durable step of a voting_record: all of it or nothing.
struct record_batch {
  std::optional<epoch_number> new_epoch;  // first: everything of the old one goes
  std::uint64_t prune_to = 0;             // then: what belongs to views up to this one goes
  std::optional<epoch_number> votes_from;
  std::vector<vote_statement> votes;
  std::vector<std::pair<std::uint64_t, block_id>> proposed;
  std::vector<certificate> certificates;
  std::vector<block_ptr> blocks;
  [[nodiscard]] bool empty() const {
    return !new_epoch && prune_to == 0 && !votes_from && votes.empty() && proposed.empty() &&
           certificates.empty() && blocks.empty();
  }
};

/// What a batch makes of a record: what every store of records has to do.
void apply(voting_record& record, const record_batch& batch);

}  // namespace soma::inline values
