#include "storage/tables/transaction_index.hpp"

#include <algorithm>

#include "messages/values/assert.hpp"
#include "storage/tables/keys.hpp"

namespace soma::tables {
namespace {

constexpr std::uint8_t run_kind = 0, chunk_kind = 1;
constexpr std::size_t entry_bytes = 16;
/// Two chunks of this size, with their keys and checksums, fill a page of LMDB.
constexpr std::size_t entries_a_chunk = 112;
constexpr std::size_t runs_a_tier = 16;
/// A run of so many transactions stays as it is. This limits what one block may have to write anew
/// to 2^20 entries, which are 16 MiB.
constexpr std::uint64_t final_entries = std::uint64_t{1} << 16;

bytes key_of(std::uint8_t kind, std::uint64_t run) {
  bytes key{kind};
  ordered_key number;
  const auto view = number.add(run).view();
  key.insert(key.end(), view.begin(), view.end());
  return key;
}

bytes chunk_key(std::uint64_t run, std::uint64_t prefix) {
  auto key = key_of(chunk_kind, run);
  ordered_key number;
  const auto view = number.add(prefix).view();
  key.insert(key.end(), view.begin(), view.end());
  return key;
}

}  // namespace

struct transaction_index::run {
  std::uint64_t last_height = 0;
  std::uint8_t tier = 0;
  std::uint64_t entries = 0;

  /// Reads a record of kind 0. Throws failure if it is none.
  static run read(lmdb::database table, byte_view key, byte_view value) {
    if (key.size() != 9 || value.size() != 9) {
      throw lmdb::failure(lmdb::failure_code::corrupt_record, "a record is no run of transactions",
                          std::string(table.name()), bytes(key.begin(), key.end()));
    }
    return {big_endian(key.subspan(1)), value[0], big_endian(value.subspan(1))};
  }
};

struct transaction_index::entry {
  std::uint64_t prefix = 0;
  transaction_place place;
  /// Of equal beginnings the latest place comes first in a run.
  friend bool operator<(const entry& a, const entry& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : b.place < a.place;
  }
};

transaction_index::transaction_index(const lmdb::environment& env) : table_(env.table(name)) {}

/// The last runs before a height, the latest first: as far as they are of this tier and may become
/// larger, and at most as many as one more run makes into a run of the next tier.
std::vector<transaction_index::run> transaction_index::last_runs_of(const lmdb::read_txn& txn,
                                                                    std::uint8_t tier,
                                                                    std::uint64_t before) const {
  std::vector<run> found;
  lmdb::cursor at(txn, table_);
  bool there = at.at_least(key_of(run_kind, before)) ? at.previous() : at.last();
  for (; there && found.size() + 1 < runs_a_tier; there = at.previous()) {
    if (at.key()[0] != run_kind) break;
    const auto next = run::read(table_, at.key(), at.value());
    if (next.tier != tier || next.entries >= final_entries) break;
    found.push_back(next);
  }
  return found;
}

void transaction_index::read_entries(const lmdb::read_txn& txn, const run& from,
                                     std::vector<entry>& into, std::vector<bytes>& keys) const {
  const auto begin = key_of(chunk_kind, from.last_height);
  lmdb::scan_prefix(txn, table_, begin, [&](byte_view key, byte_view value) {
    keys.emplace_back(key.begin(), key.end());
    for (; value.size() >= entry_bytes; value = value.subspan(entry_bytes)) {
      into.push_back({big_endian(value.first(8)),
                      {{from.last_height - big_endian(value.subspan(8, 4))},
                       static_cast<std::uint32_t>(big_endian(value.subspan(12, 4)))}});
    }
    return true;
  });
  keys.push_back(key_of(run_kind, from.last_height));
}

void transaction_index::write_run(lmdb::write_txn& txn, const run& made,
                                  std::vector<entry> entries) const {
  std::ranges::sort(entries, std::less<>{});
  ordered_key size;
  size.add(made.entries);
  bytes head{made.tier};
  head.insert(head.end(), size.view().begin(), size.view().end());
  txn.put(table_, key_of(run_kind, made.last_height), head);
  for (std::size_t first = 0; first < entries.size();) {
    // Entries that begin alike stay in one chunk, so that its last field names it alone.
    auto last = std::min(first + entries_a_chunk, entries.size());
    while (last < entries.size() && entries[last].prefix == entries[last - 1].prefix) ++last;
    ordered_key chunk;
    for (std::size_t i = first; i < last; ++i) {
      const auto back = made.last_height - entries[i].place.height.value;
      SOMA_ASSERT(back <= UINT32_MAX, "a run of fewer than 2^32 blocks");
      chunk.add(entries[i].prefix).add_u32(static_cast<std::uint32_t>(back));
      chunk.add_u32(entries[i].place.index);
    }
    txn.put(table_, chunk_key(made.last_height, entries[last - 1].prefix), chunk.view());
    first = last;
  }
}

void transaction_index::add(lmdb::write_txn& txn, block_height height,
                            std::span<const transaction_id> ids) const {
  if (ids.empty()) return;
  run made{height.value, 0, ids.size()};
  std::vector<entry> entries;
  entries.reserve(ids.size());
  for (std::uint32_t index = 0; index < ids.size(); ++index)
    entries.push_back({big_endian(ids[index].view().first(8)), {height, index}});
  // The new run is the last one of its tier. If it makes the tier full, it takes in the others, and
  // is then the last one of the next tier.
  std::vector<bytes> replaced;
  for (auto before = height.value; made.entries < final_entries;) {
    const auto others = last_runs_of(txn, made.tier, before);
    if (others.size() + 1 < runs_a_tier) break;
    for (const auto& other : others) {
      read_entries(txn, other, entries, replaced);
      made.entries += other.entries;
    }
    before = others.back().last_height;
    ++made.tier;
  }
  for (const auto& key : replaced) txn.erase(table_, key);
  write_run(txn, made, std::move(entries));
}

void transaction_index::visit(const lmdb::read_txn& txn, const transaction_id& id,
                              const place_visitor& visit) const {
  const auto wanted = big_endian(id.view().first(8));
  lmdb::cursor runs(txn, table_), chunks(txn, table_);
  const bytes behind_runs{chunk_kind};
  bool there = runs.at_least(behind_runs) ? runs.previous() : runs.last();
  for (; there; there = runs.previous()) {
    const auto in = run::read(table_, runs.key(), runs.value());
    if (!chunks.at_least(chunk_key(in.last_height, wanted))) continue;
    if (!std::ranges::equal(chunks.key().first(9), key_of(chunk_kind, in.last_height))) continue;
    for (auto rest = chunks.value(); rest.size() >= entry_bytes; rest = rest.subspan(entry_bytes)) {
      if (big_endian(rest.first(8)) != wanted) continue;
      const transaction_place place{{in.last_height - big_endian(rest.subspan(8, 4))},
                                    static_cast<std::uint32_t>(big_endian(rest.subspan(12, 4)))};
      if (!visit(place)) return;
    }
  }
}

}  // namespace soma::tables
