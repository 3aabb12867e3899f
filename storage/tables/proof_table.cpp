#include "storage/tables/proof_table.hpp"

#include "messages/codec/codec_consensus.hpp"
#include "storage/tables/keys.hpp"
#include "storage/tables/stored.hpp"

namespace soma::tables {

proof_table::proof_table(const lmdb::environment& env)
    : finals_(env.table(finals_name)), epoch_ends_(env.table(epoch_ends_name)) {}

void proof_table::put(lmdb::write_txn& txn, block_height height, const certificate& final) const {
  ordered_key key;
  txn.put(finals_, key.add(height).view(), encode(final));
}

void proof_table::put(lmdb::write_txn& txn, epoch_number epoch, const epoch_proof& end) const {
  ordered_key key;
  txn.put(epoch_ends_, key.add(epoch).view(), encode(end));
}

std::optional<certificate> proof_table::final_at(const lmdb::read_txn& txn,
                                                 block_height height) const {
  ordered_key key;
  return find_stored<certificate>(txn, finals_, key.add(height).view());
}

std::optional<block_height> proof_table::next_final(const lmdb::read_txn& txn,
                                                    block_height from) const {
  ordered_key key;
  lmdb::cursor at(txn, finals_);
  if (!at.at_least(key.add(from).view())) return std::nullopt;
  return block_height{big_endian(at.key())};
}

std::optional<epoch_proof> proof_table::epoch_end(const lmdb::read_txn& txn,
                                                  epoch_number epoch) const {
  ordered_key key;
  return find_stored<epoch_proof>(txn, epoch_ends_, key.add(epoch).view());
}

}  // namespace soma::tables
