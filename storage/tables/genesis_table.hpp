// genesis: "genesis" -> the canonical bytes of the network's Genesis, with its parameters. It is
// written once, in the transaction that writes the rows of height 0, and never again.
#pragma once

#include <optional>
#include <string_view>

#include "messages/values/assert.hpp"
#include "storage/lmdb/transaction.hpp"

namespace soma::tables {

class genesis_table {
 public:
  static constexpr const char* name = "genesis";
  explicit genesis_table(const lmdb::environment& env) : table_(env.table(name)) {}

  void put(lmdb::write_txn& txn, byte_view genesis) const {
    SOMA_ASSERT(!find(txn), "a ledger has one genesis");
    txn.put(table_, as_bytes(key), genesis);
  }
  [[nodiscard]] std::optional<byte_view> find(const lmdb::read_txn& txn) const {
    return txn.find(table_, as_bytes(key));
  }

 private:
  static constexpr std::string_view key = "genesis";
  lmdb::database table_;
};

}  // namespace soma::tables
