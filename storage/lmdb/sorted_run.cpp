#include "storage/lmdb/sorted_run.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "messages/values/assert.hpp"

namespace soma::lmdb {
namespace {

constexpr std::size_t head_bytes = 8;
/// A run is merged with the one below it unless that is at least so many times as large.
constexpr std::size_t growth = 2;

std::uint32_t little_u32(const std::uint8_t* from) {
  return std::uint32_t{from[0]} | std::uint32_t{from[1]} << 8 | std::uint32_t{from[2]} << 16 |
         std::uint32_t{from[3]} << 24;
}

constexpr std::size_t prefix_bytes = 15;

/// Up to 8 bytes of the key from this place on, as a number in the order of the bytes.
std::uint64_t part_of(byte_view key, std::size_t from, std::size_t size) {
  std::uint64_t part = 0;
  for (std::size_t i = from; i < from + size; ++i) part = part << 8 | (i < key.size() ? key[i] : 0);
  return part;
}

void set_prefix(change& c) {
  c.prefix = std::uint64_t{c.table} << 56 | part_of(c.key(), 0, 7);
  c.prefix_more = part_of(c.key(), 7, prefix_bytes - 7);
}

int compare(const change& a, const change& b) {
  if (a.prefix != b.prefix) return a.prefix < b.prefix ? -1 : 1;
  if (a.prefix_more != b.prefix_more) return a.prefix_more < b.prefix_more ? -1 : 1;
  // Of two short keys that differ in zeros at their end alone, the shorter one comes first.
  if (a.key_size <= prefix_bytes && b.key_size <= prefix_bytes) return a.key_size - b.key_size;
  return compare_keys(a.key(), b.key());
}

/// The change that lies at the beginning of these bytes; nullopt if none lies there.
std::optional<change> read_change(byte_view from, std::size_t tables) {
  if (from.size() < head_bytes || from[0] >= tables || from[1] > 1) return std::nullopt;
  change read;
  read.table = from[0];
  read.erased = from[1] == 1;
  read.key_size = static_cast<std::uint16_t>(from[2] | from[3] << 8);
  read.value_size = little_u32(from.data() + 4);
  const auto size = std::uint64_t{read.key_size} + read.value_size;
  if (read.key_size == 0 || size > from.size() - head_bytes) return std::nullopt;
  read.key_data = from.data() + head_bytes;
  read.value_data = read.key_data + read.key_size;
  return read;
}

std::size_t size_of(const change& c) {
  return head_bytes + c.key_size + c.value_size;
}

}  // namespace

std::uint32_t hash_of(std::uint8_t table, byte_view key) {
  const std::string_view text(reinterpret_cast<const char*>(key.data()), key.size());
  const auto hash = std::hash<std::string_view>{}(text) + table * 0x9E3779B97F4A7C15ULL;
  return static_cast<std::uint32_t>(hash ^ hash >> 32);
}

int compare_keys(byte_view a, byte_view b) {
  const auto common = std::min(a.size(), b.size());
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0 || a.size() == b.size()) return order;
  return a.size() < b.size() ? -1 : 1;
}

sorted_run::pointer sorted_run::of_batch(bytes batch, std::size_t tables) {
  auto made = std::make_shared<sorted_run>();
  auto owned = std::make_shared<const bytes>(std::move(batch));
  for (byte_view rest = *owned; !rest.empty();) {
    auto read = read_change(rest, tables);
    if (!read) return nullptr;
    set_prefix(*read);
    read->hash = hash_of(read->table, read->key());
    made->changes_.push_back(*read);
    rest = rest.subspan(size_of(*read));
  }
  auto& all = made->changes_;
  // The bytes ascend with time, so of two changes of one record the later has the higher address.
  std::ranges::sort(all, [](const change& a, const change& b) {
    const int order = compare(a, b);
    return order != 0 ? order < 0 : a.key_data > b.key_data;
  });
  const auto same = [](const change& a, const change& b) { return compare(a, b) == 0; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  made->batch_bytes_ = owned->size();
  made->batches_.push_back(std::move(owned));
  made->make_index();
  return made;
}

std::shared_ptr<sorted_run> sorted_run::merged_two(const sorted_run& later,
                                                   const sorted_run& earlier) {
  auto made = std::make_shared<sorted_run>();
  auto& all = made->changes_;
  all.reserve(later.changes_.size() + earlier.changes_.size());
  auto a = later.changes_.begin();
  auto b = earlier.changes_.begin();
  while (a != later.changes_.end() && b != earlier.changes_.end()) {
    const int order = compare(*a, *b);
    if (order == 0) ++b;
    all.push_back(order <= 0 ? *a++ : *b++);
  }
  all.insert(all.end(), a, later.changes_.end());
  all.insert(all.end(), b, earlier.changes_.end());
  made->batches_ = later.batches_;
  made->batches_.insert(made->batches_.end(), earlier.batches_.begin(), earlier.batches_.end());
  made->batch_bytes_ = later.batch_bytes_ + earlier.batch_bytes_;
  return made;
}

sorted_run::pointer sorted_run::merged(pointer latest, std::span<const pointer> below) {
  if (below.empty()) return latest;
  auto all = merged_two(*latest, *below.front());
  for (const auto& one : below.subspan(1)) all = merged_two(*all, *one);
  all->make_index();
  return all;
}

void sorted_run::make_index() {
  index_.assign(std::bit_ceil(2 * changes_.size() + 1), 0);
  const auto mask = index_.size() - 1;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    auto at = changes_[i].hash & mask;
    while (index_[at] != 0) at = (at + 1) & mask;
    index_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

const change* sorted_run::find(std::uint8_t table, byte_view key, std::uint32_t hash) const {
  const auto mask = index_.size() - 1;
  for (auto at = hash & mask; index_[at] != 0; at = (at + 1) & mask) {
    const change& found = changes_[index_[at] - 1];
    if (found.hash == hash && found.table == table && compare_keys(found.key(), key) == 0) {
      return &found;
    }
  }
  return nullptr;
}

std::size_t sorted_run::first_from(std::uint8_t table, byte_view key) const {
  change wanted;
  wanted.table = table;
  wanted.key_data = key.data();
  wanted.key_size = static_cast<std::uint16_t>(key.size());
  set_prefix(wanted);
  const auto found = std::ranges::partition_point(
      changes_, [&](const change& c) { return compare(c, wanted) < 0; });
  return static_cast<std::size_t>(found - changes_.begin());
}

// ---- Lists of runs.

void run_list::push(sorted_run::pointer latest) {
  std::size_t count = 0;  // of the runs that are merged with it
  auto size = latest->changes().size();
  while (count < runs_.size() && runs_[count]->changes().size() < growth * size) {
    size += runs_[count++]->changes().size();
  }
  latest = sorted_run::merged(std::move(latest), std::span(runs_).first(count));
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(count));
  runs_.insert(runs_.begin(), std::move(latest));
}

const change* run_list::find(std::uint8_t table, byte_view key) const {
  if (runs_.empty()) return nullptr;
  const auto hash = hash_of(table, key);
  for (const auto& run : runs_) {
    if (const auto* found = run->find(table, key, hash)) return found;
  }
  return nullptr;
}

std::size_t run_list::batch_bytes() const {
  std::size_t all = 0;
  for (const auto& run : runs_) all += run->batch_bytes();
  return all;
}

sorted_run::pointer run_list::as_one() const {
  if (runs_.empty()) return nullptr;
  return sorted_run::merged(runs_.front(), std::span(runs_).subspan(1));
}

run_list run_list::above(const run_list& earlier) const {
  run_list both = *this;
  both.runs_.insert(both.runs_.end(), earlier.runs_.begin(), earlier.runs_.end());
  return both;
}

// ---- The batch of one transaction.

void batch_builder::add(std::uint8_t table, byte_view key, byte_view value, bool erased) {
  SOMA_ASSERT(batch_.size() + head_bytes + key.size() + value.size() < UINT32_MAX,
              "a transaction of less than 4 GiB");
  if (4 * (used_ + 1) > 3 * index_.size()) grow_index();
  const auto offset = static_cast<std::uint32_t>(batch_.size());
  const auto size = static_cast<std::uint32_t>(value.size());
  const std::uint8_t head[head_bytes] = {table,
                                         static_cast<std::uint8_t>(erased ? 1 : 0),
                                         static_cast<std::uint8_t>(key.size()),
                                         static_cast<std::uint8_t>(key.size() >> 8),
                                         static_cast<std::uint8_t>(size),
                                         static_cast<std::uint8_t>(size >> 8),
                                         static_cast<std::uint8_t>(size >> 16),
                                         static_cast<std::uint8_t>(size >> 24)};
  batch_.insert(batch_.end(), head, head + head_bytes);
  batch_.insert(batch_.end(), key.begin(), key.end());
  batch_.insert(batch_.end(), value.begin(), value.end());
  const auto hash = hash_of(table, key);
  const auto mask = index_.size() - 1;
  auto at = hash & mask;
  for (; index_[at].offset_plus_1 != 0; at = (at + 1) & mask) {
    if (index_[at].hash != hash) continue;
    const auto known =
        read_change(byte_view(batch_).subspan(index_[at].offset_plus_1 - 1), SIZE_MAX);
    if (known->table == table && compare_keys(known->key(), key) == 0) break;
  }
  if (index_[at].offset_plus_1 == 0) ++used_;
  index_[at] = {hash, offset + 1};
}

void batch_builder::grow_index() {
  std::vector<place> larger(std::max<std::size_t>(64, 2 * index_.size()));
  const auto mask = larger.size() - 1;
  for (const auto& known : index_) {
    if (known.offset_plus_1 == 0) continue;
    auto at = known.hash & mask;
    while (larger[at].offset_plus_1 != 0) at = (at + 1) & mask;
    larger[at] = known;
  }
  index_ = std::move(larger);
}

std::optional<change> batch_builder::find(std::uint8_t table, byte_view key) const {
  if (used_ == 0) return std::nullopt;
  const auto hash = hash_of(table, key);
  const auto mask = index_.size() - 1;
  for (auto at = hash & mask; index_[at].offset_plus_1 != 0; at = (at + 1) & mask) {
    if (index_[at].hash != hash) continue;
    const auto known =
        read_change(byte_view(batch_).subspan(index_[at].offset_plus_1 - 1), SIZE_MAX);
    if (known->table == table && compare_keys(known->key(), key) == 0) return known;
  }
  return std::nullopt;
}

sorted_run::pointer batch_builder::run_of(std::uint8_t table) const {
  bytes part;
  for (byte_view rest = batch_; !rest.empty();) {
    const auto size = size_of(*read_change(rest, SIZE_MAX));
    if (rest[0] == table) {
      part.insert(part.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
    }
    rest = rest.subspan(size);
  }
  return part.empty() ? nullptr : sorted_run::of_batch(std::move(part), SIZE_MAX);
}

}  // namespace soma::lmdb
