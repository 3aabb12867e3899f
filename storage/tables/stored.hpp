// Turns stored values back into plain values. Their checksum was right, so a value that does not
// decode was written by another program or by a bug: the failure names the record, and nothing is
// guessed.
#pragma once

#include <optional>
#include <string>

#include "messages/codec/codec.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::tables {

template <class Value>
[[nodiscard]] Value decode_stored(lmdb::database table, byte_view key, byte_view stored) {
  auto value = decode_own<Value>(stored);
  if (!value) {
    throw lmdb::failure(lmdb::failure_code::corrupt_record,
                        "a record does not decode: " + std::string(to_text(value.error())),
                        std::string(table.name()), bytes(key.begin(), key.end()));
  }
  return std::move(*value);
}

template <class Value>
[[nodiscard]] std::optional<Value> find_stored(const lmdb::read_txn& txn, lmdb::database table,
                                               byte_view key) {
  const auto stored = txn.find(table, key);
  if (!stored) return std::nullopt;
  return decode_stored<Value>(table, key, *stored);
}

}  // namespace soma::tables
