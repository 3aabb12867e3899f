#include "storage/tables/block_table.hpp"

#include <vector>

#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"
#include "storage/tables/keys.hpp"
#include "storage/tables/stored.hpp"

namespace soma::tables {

block_table::block_table(const lmdb::environment& env)
    : blocks_(env.table(name)), heights_(env.table(heights_name)), transactions_(env) {}

void block_table::append(lmdb::write_txn& txn, const block& added) const {
  const block_height height = added.header.height;
  const auto before = last(txn);
  SOMA_ASSERT(before.value == 0 || height == before.next(),
              "a block is committed at the next height");
  std::vector<transaction_id> ids;
  ids.reserve(added.payload.size());
  for (const auto& sent : added.payload) ids.push_back(signing::id_of(sent));
  // A cursor reads all that its transaction has written, so it comes before the block is written.
  transactions_.add(txn, height, ids);
  ordered_key key;
  key.add(height);
  txn.append(blocks_, key.view(), encode(added));
  txn.put(heights_, signing::id_of(added.header).view(), key.view());
}

block_height block_table::last(const lmdb::read_txn& txn) const {
  lmdb::cursor at(txn, blocks_);
  return at.last() ? block_height{big_endian(at.key())} : block_height{};
}

std::optional<block_height> block_table::first(const lmdb::read_txn& txn) const {
  lmdb::cursor at(txn, blocks_);
  if (!at.first()) return std::nullopt;
  return block_height{big_endian(at.key())};
}

std::optional<block> block_table::at(const lmdb::read_txn& txn, block_height height) const {
  ordered_key key;
  key.add(height);
  return find_stored<block>(txn, blocks_, key.view());
}

std::optional<bytes> block_table::bytes_at(const lmdb::read_txn& txn, block_height height) const {
  ordered_key key;
  key.add(height);
  const auto stored = txn.find(blocks_, key.view());
  if (!stored) return std::nullopt;
  return bytes(stored->begin(), stored->end());
}

std::optional<block_height> block_table::height_of(const lmdb::read_txn& txn,
                                                   const block_id& id) const {
  const auto height = txn.find(heights_, id.view());
  if (!height) return std::nullopt;
  return block_height{big_endian(*height)};
}

std::optional<transaction_place> block_table::place_of(const lmdb::read_txn& txn,
                                                       const transaction_id& id) const {
  std::optional<transaction_place> found;
  transactions_.visit(txn, id, [&](const transaction_place& place) {
    const auto there = at(txn, place.height);
    const bool is_it = there && place.index < there->payload.size() &&
                       signing::id_of(there->payload[place.index]) == id;
    if (is_it) found = place;
    return !is_it;
  });
  return found;
}

}  // namespace soma::tables
