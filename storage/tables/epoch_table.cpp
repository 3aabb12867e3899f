#include "storage/tables/epoch_table.hpp"

#include "storage/tables/keys.hpp"

namespace soma::tables {

void epoch_table::note_block(lmdb::write_txn& txn, epoch_number epoch, block_height height) const {
  if (first_block(txn, epoch)) return;
  ordered_key key;
  ordered_key value;
  key.add(epoch);
  value.add(height);
  txn.put(table_, key.view(), value.view());
}

std::optional<block_height> epoch_table::first_block(const lmdb::read_txn& txn,
                                                     epoch_number epoch) const {
  ordered_key key;
  key.add(epoch);
  const auto value = txn.find(table_, key.view());
  if (!value) return std::nullopt;
  return block_height{big_endian(*value)};
}

}  // namespace soma::tables
