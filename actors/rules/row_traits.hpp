// Which table a row lies in, and how its key and bytes are made. A row that can't be read is our
// own damage, not a stranger's doing: nothing enters the ledger but what these rules wrote.
#pragma once

#include "messages/types/assert.hpp"
#include "messages/types/codec.hpp"

namespace soma::rules {

template <class Row>
struct row_bytes {
  [[nodiscard]] static bytes encode(const Row& row) { return soma::encode(row); }
  [[nodiscard]] static Row decode(byte_view value) {
    auto row = soma::decode<Row>(value);
    SOMA_ASSERT(row.has_value(), "a row of the ledger can be read");
    return std::move(*row);
  }
};

template <class Row, class Id, ledger_table Table, row_key (*Key)(const Id&)>
struct id_row : row_bytes<Row> {
  using key_type = Id;
  static constexpr ledger_table table = Table;
  [[nodiscard]] static row_key key_bytes(const Id& id) { return Key(id); }
  [[nodiscard]] static Id parse_key(byte_view key) {
    const auto id = id_in_key<Id>(key);
    SOMA_ASSERT(id.has_value(), "a key of the ledger can be read");
    return *id;
  }
};

template <class Row>
struct row_traits;
template <>
struct row_traits<chain_row> : row_bytes<chain_row> {};
template <>
struct row_traits<account_row> : id_row<account_row, address, ledger_table::account, &account_key> {
};
template <>
struct row_traits<validator_row>
    : id_row<validator_row, address, ledger_table::validator, &validator_key> {};
template <>
struct row_traits<model_row> : id_row<model_row, model_id, ledger_table::model, &model_key> {};
template <>
struct row_traits<target_row> : id_row<target_row, target_id, ledger_table::target, &target_key> {};
template <>
struct row_traits<submission_row>
    : id_row<submission_row, target_id, ledger_table::submission, &submission_key> {};
template <>
struct row_traits<used_data_row>
    : id_row<used_data_row, data_hash, ledger_table::used_data, &used_data_key> {};
template <>
struct row_traits<model_version_row> : row_bytes<model_version_row> {
  using key_type = model_version_ref;
  static constexpr ledger_table table = ledger_table::model_version;
  [[nodiscard]] static row_key key_bytes(const model_version_ref& v) {
    return model_version_key(v);
  }
  [[nodiscard]] static model_version_ref parse_key(byte_view key) {
    const auto ref = version_in_key(key);
    SOMA_ASSERT(ref.has_value(), "a key of the ledger can be read");
    return *ref;
  }
};

}  // namespace soma::rules
