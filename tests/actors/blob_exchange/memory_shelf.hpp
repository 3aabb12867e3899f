// Blobs in memory instead of on a disk, for tests of the exchange.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "actors/blob_exchange/shelf.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/crypto/random.hpp"

namespace soma::test {

/// A blob of which most bytes are zero. Its chunks differ from each other and from those of other
/// seeds.
struct test_blob {
  test_blob(std::uint64_t seed, std::uint64_t size) : size_bytes(size) {
    crypto::seeded_random random(seed);
    for (std::uint64_t at = 0; at < size; at += crypto::blob_chunk_bytes) {
      bytes chunk(std::min<std::uint64_t>(crypto::blob_chunk_bytes, size - at));
      random.fill(std::span(chunk).first(std::min<std::size_t>(chunk.size(), 16)));
      list.push_back(crypto::chunk_hash(chunk));
      chunks.push_back(std::make_shared<const bytes>(std::move(chunk)));
    }
    id = crypto::blob_root(size, list);
  }
  blob_id id;
  std::uint64_t size_bytes;
  /// Shared with the shelves, since forty homes may have the same large blobs.
  std::vector<std::shared_ptr<const bytes>> chunks;
  std::vector<hash256> list;
};

/// What the bytes of a page of the list are.
inline bytes page_of(const std::vector<hash256>& list, std::uint32_t number) {
  bytes page;
  const auto first = std::min<std::size_t>(list.size(), std::size_t{number} * list_page_hashes);
  const auto last = std::min<std::size_t>(list.size(), first + list_page_hashes);
  for (auto i = first; i < last; ++i) {
    page.insert(page.end(), list[i].value.begin(), list[i].value.end());
  }
  return page;
}

class memory_shelf final : public blob_exchange::shelf {
 public:
  void store(const test_blob& blob) {
    auto& e = entries_[blob.id];
    e = {blob.size_bytes, blob.list, {}, true};
    for (std::uint32_t i = 0; i < blob.chunks.size(); ++i) e.chunks[i] = blob.chunks[i];
  }
  void remove(const blob_id& blob) { entries_.erase(blob); }
  /// As when the process is killed: what was begun is not begun any more.
  void restart() {
    open_.clear();
    known_.clear();
  }
  [[nodiscard]] bool equals(const test_blob& blob) const {
    const auto found = entries_.find(blob.id);
    if (found == entries_.end() || !found->second.is_whole) return false;
    const auto& e = found->second;
    if (e.size_bytes != blob.size_bytes || e.chunks.size() != blob.chunks.size()) return false;
    for (auto& [number, data] : e.chunks) {
      const auto& wanted = blob.chunks[number];
      if (data != wanted && *data != *wanted) return false;
      data = wanted;  // so that the bytes are compared once, although this is asked at each event
    }
    return true;
  }
  [[nodiscard]] std::size_t open() const { return open_.size(); }

  [[nodiscard]] std::optional<std::uint64_t> size_of_complete(const blob_id& blob) const override {
    const auto found = entries_.find(blob);
    if (found == entries_.end() || !found->second.is_whole) return std::nullopt;
    return found->second.size_bytes;
  }
  [[nodiscard]] std::optional<bytes> part(const peer::blob_part& which) override {
    if (!size_of_complete(which.blob)) return std::nullopt;
    const auto& e = entries_.at(which.blob);
    if (which.of_list) {
      auto page = page_of(e.list, which.number);
      return page.empty() ? std::nullopt : std::optional(std::move(page));
    }
    const auto chunk = e.chunks.find(which.number);
    return chunk == e.chunks.end() ? std::nullopt : std::optional(*chunk->second);
  }
  [[nodiscard]] std::optional<blob_exchange::begun_blob> begin(
      std::uint64_t size_bytes, std::span<const hash256> list) override {
    REQUIRE(list.size() == crypto::chunk_count(size_bytes));
    if (has_failed) return std::nullopt;
    const auto id = crypto::blob_root(size_bytes, list);
    REQUIRE(open_.insert(id).second);
    auto& e = entries_[id];
    e.size_bytes = size_bytes;
    e.list.assign(list.begin(), list.end());
    blob_exchange::begun_blob begun;
    const bool is_known = !known_.insert(id).second;
    for (std::uint32_t i = 0; i < e.list.size(); ++i) {
      if (!is_known && !e.chunks.empty()) {
        begun.unread.push_back(i);
      } else if (!e.chunks.contains(i)) {
        begun.missing.push_back(i);
      }
    }
    return begun;
  }
  [[nodiscard]] bool read_again(const blob_id& blob, std::uint32_t number) override {
    REQUIRE(open_.contains(blob));
    ++reads;
    return entries_.at(blob).chunks.contains(number);
  }
  [[nodiscard]] blob_exchange::put_result put(const blob_id& blob, std::uint32_t number,
                                              byte_view data) override {
    REQUIRE(open_.contains(blob));
    auto& e = entries_.at(blob);
    REQUIRE(number < e.list.size());
    if (has_failed) return blob_exchange::put_result::failed;
    if (crypto::chunk_hash(data) != e.list[number]) return blob_exchange::put_result::wrong;
    CHECK_MESSAGE(!e.chunks.contains(number), "a chunk that is here was fetched again");
    e.chunks[number] = std::make_shared<const bytes>(data.begin(), data.end());
    ++kept;
    return blob_exchange::put_result::kept;
  }
  [[nodiscard]] bool finish(const blob_id& blob) override {
    REQUIRE(open_.erase(blob) == 1);
    auto& e = entries_.at(blob);
    REQUIRE(e.chunks.size() == e.list.size());
    if (has_failed) return false;
    e.is_whole = true;
    return true;
  }
  void put_aside(const blob_id& blob) override { REQUIRE(open_.erase(blob) == 1); }

  bool has_failed = false;
  std::size_t kept = 0;   // chunks
  std::size_t reads = 0;  // of chunks that may have been here

 private:
  struct entry {
    std::uint64_t size_bytes = 0;
    std::vector<hash256> list;
    mutable std::map<std::uint32_t, std::shared_ptr<const bytes>> chunks;
    bool is_whole = false;
  };
  std::map<blob_id, entry> entries_;
  std::set<blob_id> open_;
  std::set<blob_id> known_;  // that were begun since the last start
};

}  // namespace soma::test
