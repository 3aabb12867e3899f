// Turns plain values into the bytes that travel, are signed and are stored, and back. This is the
// only way in for foreign values (security §7.5).
//   - encode writes canonical Cap'n Proto (for block headers and vote statements the fixed layouts
//     below): equal values give equal bytes.
//   - decode refuses by name whatever is not exactly one value. It checks structure (parse.hpp),
//     field sizes, list lengths and the ranges of a genesis. What a value may mean (NaN, amounts,
//     basis points, dimensions) is a question for actors/rules. Floats keep their bits.
//   - For all bytes that decode accepts, encode(decode(b)) == b.
// encode asserts the limits below: the code that makes a value has to bound it first.
#pragma once

#include <cstdint>
#include <optional>

#include "messages/values/blocks.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/genesis.hpp"
#include "messages/values/rows.hpp"
#include "messages/values/transactions.hpp"
#include "messages/wire/parse.hpp"

namespace soma::inline codec {

inline constexpr std::size_t max_assigned_models = 16;
/// The votes of a committee over all epochs in which an audit may be open, with room to spare.
inline constexpr std::size_t max_cast_votes = 1'000;
inline constexpr std::size_t max_statement_bytes = 1'024;
/// Withdrawals of one holder from one pool that wait for their epochs: at most one for each epoch.
inline constexpr std::size_t max_unbonding = 4;
inline constexpr std::size_t max_name_bytes = 64;

template <class X>
[[nodiscard]] expected<X, parse_refusal> decode(byte_view data);

/// Decodes bytes that this program has encoded itself and whose checksum has been verified since:
/// rows of its own store. It is as safe as decode, but it does not check that the bytes are the
/// only encoding of their value.
template <class X>
[[nodiscard]] expected<X, parse_refusal> decode_own(byte_view data);

#define SOMA_CODEC(type)                                      \
  [[nodiscard]] bytes encode(const type&);                    \
  template <>                                                 \
  expected<type, parse_refusal> decode<type>(byte_view data); \
  template <>                                                 \
  expected<type, parse_refusal> decode_own<type>(byte_view data)

SOMA_CODEC(transaction);         // at most max_transaction_bytes
SOMA_CODEC(signed_transaction);  // the body is not decoded
SOMA_CODEC(genesis);
SOMA_CODEC(block_header);    // header_layout
SOMA_CODEC(vote_statement);  // kind u8, epoch u64, view u64, block: little endian, 49 bytes
SOMA_CODEC(block);           // the bodies of its transactions are not decoded
SOMA_CODEC(event);
SOMA_CODEC(chain_row);
SOMA_CODEC(account_row);
SOMA_CODEC(validator_row);
SOMA_CODEC(model_row);
SOMA_CODEC(model_version_row);
SOMA_CODEC(target_row);
SOMA_CODEC(submission_row);
SOMA_CODEC(used_data_row);
SOMA_CODEC(known_weights_row);
SOMA_CODEC(committee_row);
SOMA_CODEC(stake_row);
SOMA_CODEC(agenda_row);
SOMA_CODEC(consensus_key_row);
SOMA_CODEC(evidence_row);
SOMA_CODEC(onion_row);
SOMA_CODEC(list_row);
#undef SOMA_CODEC

/// The fields of a header in their order, little endian, without anything between them.
inline constexpr std::size_t header_layout_bytes = 246;
inline constexpr std::size_t vote_layout_bytes = 49;
[[nodiscard]] bytes header_layout(const block_header& header);

// Keys of rows, protocol §11.1: the table's byte, then the fields. Numbers are big endian, so that
// the rows of a model lie in the order of its versions.
[[nodiscard]] row_key chain_key();
[[nodiscard]] row_key account_key(const address& owner);
[[nodiscard]] row_key validator_key(const address& owner);
[[nodiscard]] row_key model_key(const model_id& model);
[[nodiscard]] row_key model_version_key(const model_id& model, std::uint32_t version);
[[nodiscard]] row_key model_version_key(const model_version_ref& version);
[[nodiscard]] row_key target_key(const target_id& target);
[[nodiscard]] row_key submission_key(const target_id& target);
[[nodiscard]] row_key used_data_key(const data_hash& data);
[[nodiscard]] row_key known_weights_key(const hash256& named);
[[nodiscard]] row_key committee_key();
[[nodiscard]] row_key stake_key(const stake_position& position);
/// The bytes with which the keys of all positions of a pool begin.
[[nodiscard]] row_key stake_prefix(const pool_owner& pool);
[[nodiscard]] row_key agenda_key(const agenda_item& item);
/// The bytes with which the keys of all items due at the end of an epoch begin.
[[nodiscard]] row_key agenda_prefix(epoch_number epoch);
[[nodiscard]] row_key consensus_key_key(const public_key& key);
[[nodiscard]] row_key evidence_key(const hash256& shown);
[[nodiscard]] row_key onion_key(const public_key& key);
[[nodiscard]] row_key list_key(const list_page& page);
/// The byte with which all keys of a table begin.
[[nodiscard]] row_key table_prefix(ledger_table table);

/// The table of `key`; nullopt unless `key` is a whole key of a table.
[[nodiscard]] std::optional<ledger_table> table_of(byte_view key);
/// The 32 bytes after the table's byte, in a key that table_of accepts. The caller states by `Id`
/// what they identify.
template <class Id>
[[nodiscard]] std::optional<Id> id_in_key(byte_view key) {
  if (!table_of(key) || key.size() < 33) return std::nullopt;
  return Id::from(key.subspan(1, 32));
}
[[nodiscard]] std::optional<model_version_ref> version_in_key(byte_view key);
[[nodiscard]] std::optional<stake_position> position_in_key(byte_view key);
[[nodiscard]] std::optional<agenda_item> agenda_in_key(byte_view key);
[[nodiscard]] std::optional<list_page> list_page_in_key(byte_view key);

}  // namespace soma::inline codec
