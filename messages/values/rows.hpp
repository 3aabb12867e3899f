// The rows of the ledger as plain values: they are what enters the state root. The bytes of a row
// are its canonical Cap'n Proto form (messages/codec/codec.hpp). Its key is one byte for the table,
// followed by the fields named at each struct.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "messages/values/amounts.hpp"
#include "messages/values/genesis.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/transactions.hpp"

namespace soma::inline values {

/// The first byte of a row's key. It is part of the state root, so a number is never changed and
/// never used again.
enum class ledger_table : std::uint8_t {
  chain = 1,
  account = 2,
  validator = 3,
  model = 4,
  model_version = 5,
  target = 6,
  submission = 7,
  used_data = 8,
  agenda = 9,
  stake = 10,
  consensus_key = 11,
  committee = 12,
  evidence = 13,
  known_weights = 14,
  onion = 15,
  list = 16,
};

/// What holders other than the owner have withdrawn from a pool at the end of one epoch: of
/// `amount`, slashes have left `kept`. Protocol §4.5.
struct unbonding_batch {
  epoch_number payable_in;  // paid at the end of this epoch
  shannons amount;
  shannons kept;
  friend bool operator==(const unbonding_batch&, const unbonding_batch&) = default;
};

/// Protocol §4.1: stake and the shares it is divided into. `owner_shares` are the shares of the
/// pool's owner.
struct stake_pool {
  shannons stake;
  std::uint64_t shares = 0;
  std::uint64_t owner_shares = 0;
  std::vector<unbonding_batch> unbonding = {};  // by epoch, at most max_unbonding
  friend bool operator==(const stake_pool&, const stake_pool&) = default;
};

/// Key: address.
struct account_row {
  shannons balance;
  std::uint64_t nonce = 0;
  friend bool operator==(const account_row&, const account_row&) = default;
};

/// Key: address.
struct validator_row {
  public_key consensus_key{};
  stake_pool pool;
  std::uint32_t commission_bps = 0;
  std::uint32_t next_commission_bps = 0;  // from the next epoch on
  bool wants_seat = false;
  epoch_number rejoin_from;  // earliest epoch in which it may join again after an equivocation
  friend bool operator==(const validator_row&, const validator_row&) = default;
};

/// Key: consensus key. Protocol §7.1: the layer that the last block under this key has peeled, or
/// the outermost one; zero until the first onion is due. The numbers are the owner's.
struct onion_row {
  hash256 layer;
  std::uint64_t number = 0;
  hash256 next_layer;  // of the onion that takes its place; zero when none waits
  std::uint64_t next_number = 0;
  block_height next_from;  // the first block that peels it
  friend bool operator==(const onion_row&, const onion_row&) = default;
};

/// A member of the committee in the current epoch.
struct committee_seat {
  address member;
  public_key consensus_key{};  // the key that signs in this epoch
  voting_power power;          // of total_power, at least 1
  std::uint64_t blocks_signed = 0;
  std::uint64_t audits_cast = 0;
  std::uint64_t audits_due = 0;  // the audits to which it was called and that were decided
  friend bool operator==(const committee_seat&, const committee_seat&) = default;
};

/// The single row of table `committee`. Seats are in order of address.
struct committee_row {
  std::vector<committee_seat> seats;
  friend bool operator==(const committee_row&, const committee_row&) = default;
};

struct unbonding_amount {
  shannons amount;
  epoch_number payable_in;  // paid at the end of this epoch
  friend bool operator==(const unbonding_amount&, const unbonding_amount&) = default;
};

/// What one holder has in one pool. The shares of a pool's owner are kept in the pool itself.
struct stake_row {
  std::uint64_t shares = 0;
  shannons joining;                         // becomes shares at the end of this epoch
  std::uint64_t leaving_shares = 0;         // burned at the end of this epoch
  std::vector<unbonding_amount> unbonding;  // by epoch, at most max_unbonding; before any slash
  friend bool operator==(const stake_row&, const stake_row&) = default;
};

/// Key of a stake_row: table, kind of pool (1 validator, 2 model), pool, holder.
struct stake_position {
  pool_owner pool;
  address holder;
  friend auto operator<=>(const stake_position&, const stake_position&) = default;
};

/// What is examined when an epoch ends. A validator is listed for a change of its commission.
struct agenda_item {
  epoch_number epoch;
  std::variant<target_id, model_id, stake_position, address> subject;
  friend auto operator<=>(const agenda_item&, const agenda_item&) = default;
};
struct agenda_row {
  block_height height;  // of the block that put it there
  friend bool operator==(const agenda_row&, const agenda_row&) = default;
};

/// Key: consensus key. It names the validator of the key for good, and the epochs in which the key
/// signed for a seat.
struct consensus_key_row {
  address validator;
  epoch_number last_seat = {};     // latest epoch in which it had a seat in the committee
  std::uint64_t seat_history = 0;  // bit i: had a seat in epoch last_seat - i; 0: never had one
  friend bool operator==(const consensus_key_row&, const consensus_key_row&) = default;
};

/// Key: hash of the evidence. The equivocations of a validator in an epoch are punished once.
struct evidence_row {
  block_height height;
  friend bool operator==(const evidence_row&, const evidence_row&) = default;
};

enum class model_status : std::uint8_t { committed, active, inactive };

/// Key: model id. `active_version` 0 means that no version has ever been active.
struct model_row {
  address owner;
  model_status status = model_status::committed;
  stake_pool pool;
  std::uint32_t commission_bps = 0;
  std::uint32_t next_commission_bps = 0;  // from the next epoch on
  std::uint32_t active_version = 0;
  std::uint32_t latest_version = 0;
  bool retiring = false;
  friend bool operator==(const model_row&, const model_row&) = default;
};

enum class version_status : std::uint8_t { committed, revealed, active, superseded, dropped, bad };

/// One vote. `power` is what the voter had when it cast the vote, and is kept for people to read:
/// a decision weighs the vote by the power that the voter has then. Protocol §5.5.
template <class Verdict>
struct cast_vote {
  address voter;
  voting_power power;
  Verdict verdict{};
  friend bool operator==(const cast_vote&, const cast_vote&) = default;
};

/// Key: model id, version (u32 big endian). Once active, only its status changes.
struct model_version_row {
  version_status status = version_status::committed;
  epoch_number committed_in;
  hash256 commitment;
  weights_manifest manifest;
  weights_hash weights;  // zero until revealed
  cipher_key key{};
  std::vector<float> embedding;  // empty until revealed
  std::vector<cast_vote<model_verdict>> votes;
  /// Its position among all versions ever activated, from 1; 0 if it was never activated.
  std::uint64_t activation_order = 0;
  friend bool operator==(const model_version_row&, const model_version_row&) = default;
};

enum class target_status : std::uint8_t {
  open,
  filled,
  revealed,
  settled,
  slashed,
  expired,
  voided
};

/// Key: target id.
struct target_row {
  epoch_number epoch;
  block_height opened_at;
  std::uint64_t seed = 0;    // of the point
  std::vector<float> point;  // dim values while the target is open, then none
  std::uint32_t radius_q30 = 0;
  std::vector<model_version_ref> assigned;  // best score first
  shannons reward;
  target_status status = target_status::open;
  friend bool operator==(const target_row&, const target_row&) = default;
};

/// Key: target id. The row exists from the claim on.
struct submission_row {
  address submitter;
  model_version_ref winner;
  std::uint32_t loss_bits = 0;
  std::uint32_t distance_q30 = 0;
  std::uint64_t size_bytes = 0;
  hash256 commitment;
  shannons bond;
  epoch_number claimed_in;
  block_height claimed_at;
  std::uint64_t claimed_ms = 0;  // time of the block with the claim
  std::optional<block_height> revealed_at;
  std::uint64_t revealed_ms = 0;  // time of the block with the reveal; 0 until then
  data_hash data;                 // zero until revealed
  blob_id blob;
  hash256 audit_seed;            // draws the sample that audits; zero until revealed
  bool sampled = false;          // it was decided while only its sample was called
  std::uint32_t extensions = 0;  // epochs by which the audit has been put off
  std::vector<cast_vote<audit_verdict>> votes;
  friend bool operator==(const submission_row&, const submission_row&) = default;
};

/// Key: a weights hash, or the Merkle root of encrypted weights. Nobody but the owner who named it
/// first may publish it. Protocol §6.2 and §6.3.
struct known_weights_row {
  address owner;
  friend bool operator==(const known_weights_row&, const known_weights_row&) = default;
};

/// Key: data hash. The same data can win only once.
struct used_data_row {
  target_id target;
  friend bool operator==(const used_data_row&, const used_data_row&) = default;
};

/// The lists that are part of the state, so that a reader can prove that none is missing. Protocol
/// §11.6.
enum class list_kind : std::uint8_t { active_models = 1, open_targets = 2 };

struct list_page {
  list_kind list{};
  std::uint32_t number = 0;  // from 0
  friend auto operator<=>(const list_page&, const list_page&) = default;
};

/// Key: list and number of the page. Only the last page of a list has fewer than list_page_ids ids.
struct list_row {
  std::vector<hash256> ids;  // of models or of targets; at least one
  friend bool operator==(const list_row&, const list_row&) = default;
};
inline constexpr std::size_t list_page_ids = 64;

/// The single row of table `chain` (key: nothing but the table byte). The totals are updated by
/// every change and checked after every block:
///   balances + staked + joining + unbonding + bonds + set aside + target pot + validator pay
///     + unissued + burned = supply cap
struct chain_row {
  block_height height;
  block_id last_block;
  std::uint64_t time_ms = 0;
  hash256 entropy;           // of all peels so far, protocol §7.1
  hash256 leader_seed;       // of the epoch: the entropy after the epoch before the last
  hash256 next_leader_seed;  // of the next epoch
  epoch_number epoch;
  std::uint64_t epoch_start_ms = 0;
  block_height epoch_first_block;
  /// It grows whenever the set of active versions or their stakes change.
  std::uint64_t registry_version = 0;
  std::uint64_t versions_activated = 0;  // source of activation_order
  std::uint64_t fee_multiplier_ppm = 0;  // of the epoch
  std::uint64_t congestion_ppm = 0;      // of the next block, at least 10^6
  std::int64_t difficulty_ppm = 0;       // z
  std::uint64_t hits = 0;                // settled in this epoch
  std::uint64_t slice_hits = 0;          // settled since the last step of the difficulty
  std::uint64_t slices_done = 0;         // of this epoch
  std::uint64_t targets_waiting = 0;     // to be opened as soon as the pot allows it
  std::uint64_t claims_standing = 0;     // not revealed, and not over
  std::uint64_t active_models = 0;       // entries of that list, protocol §11.6
  std::uint64_t open_targets = 0;        // entries of that list
  shannons target_pot;                   // of which new targets are paid
  shannons epoch_emission;               // what this epoch emits in all
  shannons flowed;                       // of it, what has come into the target pot so far
  shannons balances;
  shannons staked;
  shannons bonds;
  shannons set_aside;  // rewards of targets that are open, filled or revealed
  shannons unissued;
  shannons burned;
  shannons burned_this_epoch;
  shannons joining;    // deposits that wait for the end of the epoch
  shannons unbonding;  // withdrawn from pools, not yet paid out
  /// Added to the emission that this epoch's end divides among the validators.
  shannons validator_pay;
  friend bool operator==(const chain_row&, const chain_row&) = default;
};

/// The key of a row: the table's byte and the fields, as bytes.
using row_key = bytes;
/// One change of one row. Without a value, the row is removed.
struct row_change {
  row_key key;
  std::optional<bytes> value;
  friend bool operator==(const row_change&, const row_change&) = default;
};

}  // namespace soma::inline values
