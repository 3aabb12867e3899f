// What validators send each other to agree on blocks, and what each validator has to remember of
// it. These are plain values. messages/codec/codec_consensus.hpp defines their bytes; the headers
// of actors/consensus define what they mean.
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

/// A block with its id. The block is hashed once, then shared and never altered.
struct identified_block {
  block_id id;
  soma::block block;
};
using block_ptr = std::shared_ptr<const identified_block>;

/// One member's vote.
struct member_vote {
  vote_statement statement;
  seat_index signer;  // the signature does not cover it: it is valid for this seat's key only
  signature by_signer{};
  friend bool operator==(const member_vote&, const member_vote&) = default;
};

/// The votes of a quorum for one statement. Different quorums make different certificates of the
/// same statement, so a certificate is never hashed into an id.
struct certificate {
  vote_statement statement;
  signer_set signers;
  std::vector<signature> signatures;  // one per signer, in the order of the seat indices
  friend bool operator==(const certificate&, const certificate&) = default;
};

/// Proves that an epoch is over: the block that closed it, the filler blocks after it up to the
/// block that the certificate finalizes (there are no fillers when it finalizes the closing block
/// itself), and the next committee.
struct epoch_proof {
  std::vector<block_header> headers;  // the closing block first; at most max_proof_headers
  certificate final;
  std::vector<committee_seat> next_committee;  // all counters are zero
  friend bool operator==(const epoch_proof&, const epoch_proof&) = default;
};

inline constexpr std::size_t max_proof_headers = 256;
inline constexpr std::size_t max_inline_skips = 64;
inline constexpr std::size_t max_response_blocks = 64;
inline constexpr std::size_t max_response_bytes = std::size_t{1} << 20;
inline constexpr std::size_t max_response_certificates = 192;  // enough for 64 views
inline constexpr std::size_t max_state_data_bytes = std::size_t{512} << 10;
inline constexpr std::size_t max_seek_blobs = 64;
inline constexpr std::size_t max_part_bytes = std::size_t{1} << 20;
inline constexpr std::uint64_t max_exchanged_blob_bytes = std::uint64_t{64} << 30;
/// The hashes of chunks in a page of a blob's list. Only the last page may have fewer.
inline constexpr std::uint32_t list_page_hashes = max_part_bytes / 32;

namespace peer {

/// States where the sender is in the chain. It is sent on connecting and from time to time.
struct hello {
  chain_id chain;
  epoch_number epoch;
  block_height height;  // a claim without proof: a receiver believes only certificates
  view_number view;
  /// The latest epoch that can have begun with the sender's votes: its own epoch; the next one once
  /// it has voted to finalize the end of its own; any epoch (UINT64_MAX) when the sender does not
  /// remember its votes.
  epoch_number latest_epoch;
  bool asks = false;  // the sender wants a hello in return
};
/// A leader's block, with the certificates that allow it to follow its parent.
struct proposal {
  block_ptr block;
  /// Of kind notarize or finalize; absent when the parent is the last final block.
  std::optional<certificate> parent;
  /// For the views between the parent's view and this block's view.
  std::vector<certificate> skipped;
};
struct vote {
  member_vote signed_vote;
};
struct certified {
  soma::certificate certificate;
};
/// Sent when no block became final for a while: everything that other validators may lack.
struct standstill {
  std::vector<certificate> certificates;
  std::vector<member_vote> votes;  // the sender's own votes
};
/// Asks for what the sender lacks.
struct request {
  epoch_number epoch;
  block_height after;     // height of the sender's last final block
  view_number from_view;  // it wants the certificates from this view on
  block_id want;          // it wants this block and its ancestors; zero when it wants no block
};
struct response {
  epoch_number epoch;
  std::vector<certificate> certificates;
  /// The ancestors of `want`, or the final blocks after the height `after`, in order.
  std::vector<block_ptr> blocks;
  std::optional<certificate> final;  // for the last of the final blocks
  /// Present when the last final block closed the requested epoch.
  std::optional<epoch_proof> epoch_end;
};
struct epoch_over {
  epoch_number epoch;
  epoch_proof proof;
};
/// Transactions for a coming block. The consensus itself does not look at this message.
struct transactions {
  std::vector<signed_transaction> list;
};
/// A question of a late validator that wants a snapshot of the ledger instead of all blocks. With
/// height 0 it asks how the epoch ended and which snapshot the peer has. With another height it
/// asks for a piece of the snapshot of that height. The consensus looks neither at this message nor
/// at its answer, state_part.
struct ask_state {
  epoch_number epoch;
  block_height height;      // 0 when no piece is wanted
  std::uint32_t chunk = 0;  // number of the chunk in the snapshot
  std::uint32_t from = 0;   // first byte of the piece in its chunk
};
struct state_part {
  epoch_number epoch;  // copied from the question
  /// Absent when the peer does not know that the epoch is over, or when a piece was asked for.
  std::optional<epoch_proof> end;
  block_height height;       // of the snapshot that the peer has now; 0 when it has no snapshot
  std::uint32_t chunks = 0;  // number of chunks of that snapshot
  std::uint32_t chunk = 0;   // copied from the question, like `from`
  std::uint32_t from = 0;
  std::uint32_t chunk_bytes = 0;  // size of the whole chunk that holds the piece
  bytes data;  // at most max_state_data_bytes; empty when the peer has no such piece
  /// The asker asked too much lately. It ignores all other fields and asks again.
  bool later = false;
};

/// Asks which of these blobs the receiver has as a whole. The consensus looks neither at this
/// message nor at the next three.
struct seek {
  std::vector<blob_id> blobs;  // 1 to max_seek_blobs
};
/// Names blobs that the sender has as a whole: 1 to max_seek_blobs.
struct have {
  struct entry {
    blob_id blob;
    std::uint64_t size_bytes = 0;  // 1 to max_exchanged_blob_bytes
    friend bool operator==(const entry&, const entry&) = default;
  };
  std::vector<entry> blobs;
};
/// Names a part of a blob: a chunk, or a page of the list of its chunks' hashes.
struct blob_part {
  blob_id blob;
  bool of_list = false;
  std::uint32_t number = 0;  // of the chunk or of the page
  friend auto operator<=>(const blob_part&, const blob_part&) = default;
};
struct get {
  blob_part wanted;
};
/// The answer to `get`. The whole list proves itself by the blob's id, and the list proves each
/// chunk.
struct part {
  blob_part answered;  // copied from the question
  bytes data;          // at most max_part_bytes; empty when the peer does not have it
  /// The asker asked too much lately: `data` is empty, and it asks again.
  bool later = false;
};

}  // namespace peer

using peer_message =
    std::variant<peer::hello, peer::proposal, peer::vote, peer::certified, peer::standstill,
                 peer::request, peer::response, peer::epoch_over, peer::transactions,
                 peer::ask_state, peer::state_part, peer::seek, peer::have, peer::get, peer::part>;

/// Everything of one epoch that a validator must remember across a crash. A validator sends a
/// statement only after the statement is durable in this record.
struct voting_record {
  chain_id chain;
  public_key key{};         // the key that signs these votes
  epoch_number votes_from;  // the fence: the key votes in no epoch before this one
  epoch_number epoch;       // the fields below belong to this epoch
  using view_and_kind = std::pair<view_number, vote_kind>;
  std::map<view_and_kind, block_id> votes;
  std::map<view_number, block_id> proposed;
  std::map<view_and_kind, certificate> certificates;
  std::map<block_id, block_ptr> blocks;  // blocks that are not yet in the ledger
};

/// One durable step of a voting_record. A store writes the whole batch or nothing of it.
struct record_batch {
  std::optional<epoch_number> new_epoch;  // applied first: removes everything of the old epoch
  view_number prune_to;                   // applied next: removes the views up to this one
  std::optional<epoch_number> votes_from;
  std::vector<vote_statement> votes;
  std::vector<std::pair<view_number, block_id>> proposed;
  std::vector<certificate> certificates;
  std::vector<block_ptr> blocks;
  [[nodiscard]] bool empty() const {
    return !new_epoch && prune_to.value == 0 && !votes_from && votes.empty() && proposed.empty() &&
           certificates.empty() && blocks.empty();
  }
};

/// Applies a batch to a record. Every store of records has to do the same.
void apply(voting_record& record, const record_batch& batch);

}  // namespace soma::inline values
