#include "storage/tables/block_table.hpp"

#include <algorithm>
#include <vector>

#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"
#include "storage/tables/keys.hpp"
#include "storage/tables/stored.hpp"

namespace soma::tables {

block_table::block_table(const lmdb::environment& env)
    : blocks_(env.table(name)),
      heights_(env.table(heights_name)),
      transactions_(env.table(transactions_name)) {}

void block_table::append(lmdb::write_txn& txn, const block& added) const {
  const block_height height = added.header.height;
  const auto before = last(txn);
  SOMA_ASSERT(before.value == 0 || height == before.next(),
              "a block is committed at the next height");
  ordered_key key;
  key.add(height);
  txn.append(blocks_, key.view(), encode(added));
  txn.put(heights_, signing::id_of(added.header).view(), key.view());
  // Sorted by id, so that neighbours are written together. Of equal ids the last place stays.
  std::vector<std::pair<transaction_id, std::uint32_t>> ids;
  ids.reserve(added.payload.size());
  for (std::uint32_t index = 0; index < added.payload.size(); ++index) {
    ids.emplace_back(signing::id_of(added.payload[index]), index);
  }
  std::ranges::sort(ids);
  for (const auto& [id, index] : ids) {
    ordered_key place;
    place.add(height).add_u32(index);
    txn.put(transactions_, id.view(), place.view());
  }
}

block_height block_table::last(const lmdb::read_txn& txn) const {
  lmdb::cursor at(txn, blocks_);
  return at.last() ? block_height{big_endian(at.key())} : block_height{};
}

std::optional<block> block_table::at(const lmdb::read_txn& txn, block_height height) const {
  ordered_key key;
  key.add(height);
  return find_stored<block>(txn, blocks_, key.view());
}

std::optional<block_height> block_table::height_of(const lmdb::read_txn& txn,
                                                   const block_id& id) const {
  const auto height = txn.find(heights_, id.view());
  if (!height) return std::nullopt;
  return block_height{big_endian(*height)};
}

std::optional<transaction_place> block_table::place_of(const lmdb::read_txn& txn,
                                                       const transaction_id& id) const {
  const auto place = txn.find(transactions_, id.view());
  if (!place) return std::nullopt;
  return transaction_place{{big_endian(place->first(8))},
                           static_cast<std::uint32_t>(big_endian(place->subspan(8)))};
}

}  // namespace soma::tables
