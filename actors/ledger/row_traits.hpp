// For each row type: its table, and how its key and its bytes are made. Only rules write rows, so a
// row that cannot be read means damage caused by this program itself, and an assertion fails.
#pragma once

#include "messages/codec/codec.hpp"
#include "messages/values/assert.hpp"

namespace soma::ledger {

template <class Row>
struct row_bytes {
  [[nodiscard]] static bytes encode(const Row& row) { return soma::encode(row); }
  [[nodiscard]] static Row decode(byte_view value) {
    auto row = soma::decode_own<Row>(value);
    SOMA_ASSERT(row.has_value(), "a row of the ledger can be read");
    return std::move(*row);
  }
};

template <class Row, class Id, row_key (*Key)(const Id&)>
struct id_row : row_bytes<Row> {
  using key_type = Id;
  [[nodiscard]] static row_key key_bytes(const Id& id) { return Key(id); }
  [[nodiscard]] static Id parse_key(byte_view key) {
    const auto id = id_in_key<Id>(key);
    SOMA_ASSERT(id.has_value(), "a key of the ledger can be read");
    return *id;
  }
};

/// The key of a table that has a single row: it consists of the table's byte alone.
struct only_row {
  friend auto operator<=>(const only_row&, const only_row&) = default;
};

/// A key that is not a plain id: Bytes makes it, Parse reads it.
template <class Row, class Key, row_key (*Bytes)(const Key&),
          std::optional<Key> (*Parse)(byte_view)>
struct keyed_row : row_bytes<Row> {
  using key_type = Key;
  [[nodiscard]] static row_key key_bytes(const Key& key) { return Bytes(key); }
  [[nodiscard]] static Key parse_key(byte_view key) {
    const auto parsed = Parse(key);
    SOMA_ASSERT(parsed.has_value(), "a key of the ledger can be read");
    return *parsed;
  }
};

template <class Row>
struct row_traits;
template <>
struct row_traits<chain_row> : row_bytes<chain_row> {};
template <>
struct row_traits<account_row> : id_row<account_row, address, &account_key> {};
template <>
struct row_traits<validator_row> : id_row<validator_row, address, &validator_key> {};
template <>
struct row_traits<model_row> : id_row<model_row, model_id, &model_key> {};
template <>
struct row_traits<target_row> : id_row<target_row, target_id, &target_key> {};
template <>
struct row_traits<submission_row> : id_row<submission_row, target_id, &submission_key> {};
template <>
struct row_traits<used_data_row> : id_row<used_data_row, data_hash, &used_data_key> {};
template <>
struct row_traits<known_weights_row> : id_row<known_weights_row, hash256, &known_weights_key> {};
template <>
struct row_traits<evidence_row> : id_row<evidence_row, hash256, &evidence_key> {};
template <>
struct row_traits<model_version_row>
    : keyed_row<model_version_row, model_version_ref, &model_version_key, &version_in_key> {};
template <>
struct row_traits<stake_row> : keyed_row<stake_row, stake_position, &stake_key, &position_in_key> {
};
template <>
struct row_traits<agenda_row> : keyed_row<agenda_row, agenda_item, &agenda_key, &agenda_in_key> {};
template <>
struct row_traits<list_row> : keyed_row<list_row, list_page, &list_key, &list_page_in_key> {};
template <>
struct row_traits<consensus_key_row> : row_bytes<consensus_key_row> {
  using key_type = public_key;
  [[nodiscard]] static row_key key_bytes(const public_key& key) { return consensus_key_key(key); }
};
template <>
struct row_traits<onion_row> : row_bytes<onion_row> {
  using key_type = public_key;
  [[nodiscard]] static row_key key_bytes(const public_key& key) { return onion_key(key); }
};
template <>
struct row_traits<committee_row> : row_bytes<committee_row> {
  using key_type = only_row;
  [[nodiscard]] static row_key key_bytes(const only_row&) { return committee_key(); }
};

}  // namespace soma::ledger
