// Blocks and the events their execution leaves behind.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "messages/values/amounts.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/signer_set.hpp"
#include "messages/values/transactions.hpp"

namespace soma::inline values {

/// The hashed layout holds these fields in this order, each little-endian and of fixed size. The
/// block's id is H("SX1/block", layout).
struct block_header {
  std::uint16_t version = 1;
  chain_id chain;
  epoch_number epoch;
  view_number view;
  block_height height;
  view_number parent_view;
  block_id parent;
  hash256 payload_root;  // H("soma.payload", parent signers || ids of the transactions in order)
  std::uint32_t payload_bytes = 0;
  std::uint32_t transactions = 0;
  soma::state_root state_root;  // after the execution of this block
  std::uint64_t time_ms = 0;
  seat_index proposer;
  std::uint16_t flags = 0;
  hash256 next_committee;  // zero unless the block closes its epoch
  hash256 peel;            // of the proposer's hash onion, protocol §7.1; zero if it has none
  friend bool operator==(const block_header&, const block_header&) = default;
};

inline constexpr std::uint16_t block_closes_epoch = 1;
inline constexpr std::uint16_t block_is_filler = 2;

enum class vote_kind : std::uint8_t { notarize = 1, skip = 2, finalize = 3 };

/// What a member of the committee states about a view. The member signs H("SX1/vote", chain ||
/// layout) with its key.
struct vote_statement {
  vote_kind kind = vote_kind::notarize;
  epoch_number epoch;
  view_number view;
  block_id block;  // zero when the kind is skip
  friend bool operator==(const vote_statement&, const vote_statement&) = default;
};

struct block {
  block_header header;
  signature by_proposer{};  // over H("SX1/prop", block id)
  std::vector<signed_transaction> payload;
  /// The signers of the certificate that the proposer showed for the parent. The rules pay them.
  /// Empty when the proposer showed no certificate.
  signer_set parent_signers{};
  friend bool operator==(const block&, const block&) = default;
};

inline constexpr std::size_t max_block_payload_bytes = 256 * 1024;
inline constexpr std::size_t max_block_transactions = 4'096;

/// What the execution of a block did. Events stand in the order in which they happened. Fields that
/// do not apply are zero. messages/schema/events.capnp says for each kind what amount, other and
/// detail mean.
enum class event_kind : std::uint8_t {
  transaction_applied,
  transaction_refused,
  transferred,
  model_committed,
  model_revealed,
  model_activated,
  model_update_dropped,
  model_slashed,
  model_retired,
  target_opened,
  target_filled,
  data_revealed,
  target_settled,
  target_slashed,
  target_expired,
  reveal_missed,
  submitter_paid,
  model_paid,
  bond_returned,
  bond_burned,
  voter_paid,
  validator_paid,
  epoch_ended,
  model_retiring,
  stake_added,
  stake_joined,
  stake_returned,
  stake_withdrawn,
  stake_left,
  stake_paid_out,
  commission_changed,
  validator_joined,
  validator_leaving,
  validator_seated,
  validator_unseated,
  validator_absent,
  validator_slashed,
  reporter_paid,
  emission_released,
  fees_changed,
  difficulty_changed,
  audit_vote_cast,
  audit_extended,
  model_vote_cast,
  model_not_accepted,
  target_voided,
  emission_returned,
};

/// Why a claimed target ended without a winner and without a slash. Protocol §8.4.4.
enum class void_reason : std::uint8_t { undecided, unavailable, data_in_use };

struct event {
  event_kind kind{};
  block_height height;
  epoch_number epoch;
  transaction_id transaction;
  target_id target;
  model_version_ref model;
  address account;
  shannons amount;
  std::uint16_t refusal = 0;  // the rules::refusal of a refused transaction
  address other;
  std::uint64_t detail = 0;
  std::uint64_t audits_due = 0;  // by the validator that was paid, or absent
  friend bool operator==(const event&, const event&) = default;
};

}  // namespace soma::inline values
