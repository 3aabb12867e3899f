// Merkle proofs: every right one is accepted, and every one with another bit, place or length is
// refused.
#include "messages/crypto/merkle.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "messages/crypto/hash.hpp"
#include "tests/messages/codec/samples.hpp"

namespace soma::crypto {

TEST_CASE("each chunk of a blob proves its place; changed, moved or cut it proves nothing") {
  constexpr std::uint32_t chunk_bytes = 16;
  for (std::size_t size = 1; size <= 16 * 11; size += 5) {
    CAPTURE(size);
    bytes content(size);
    seeded_random(size).fill(content);
    const auto root = blob_id_of(content, chunk_bytes);
    std::vector<hash256> hashes;
    for (std::size_t at = 0; at < size; at += chunk_bytes) {
      hashes.push_back(chunk_hash(
          byte_view(content).subspan(at, std::min<std::size_t>(chunk_bytes, size - at))));
    }
    REQUIRE(blob_root(size, hashes, chunk_bytes) == root);
    const merkle_tree tree(hashes);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      const byte_view whole(content);
      const auto chunk = whole.subspan(i * chunk_bytes,
                                       std::min<std::size_t>(chunk_bytes, size - i * chunk_bytes));
      auto proof = tree.proof(i);
      const auto takes = [&](std::uint64_t said_size, std::uint64_t index, byte_view bytes_of,
                             std::span<const hash256> siblings) {
        return verify_chunk(root, said_size, index, bytes_of, siblings, chunk_bytes);
      };
      REQUIRE(takes(size, i, chunk, proof));
      for (std::size_t other = 0; other < hashes.size() + 3; ++other) {
        REQUIRE(takes(size, other, chunk, proof) == (other == i));
      }
      REQUIRE(!takes(size + 1, i, chunk, proof));
      REQUIRE(!takes(size - 1, i, chunk, proof));
      REQUIRE(!takes(size, i, chunk.first(chunk.size() - 1), proof));
      REQUIRE(!verify_chunk(root, size, i, chunk, proof, chunk_bytes * 2));
      REQUIRE(!verify_chunk(root, size, i, chunk, proof, 0));
      bytes changed(chunk.begin(), chunk.end());
      for (std::size_t bit = 0; bit < changed.size() * 8; ++bit) {
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        REQUIRE(!takes(size, i, changed, proof));
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      }
      for (auto& sibling : proof) {
        for (std::size_t bit = 0; bit < 256; bit += 7) {
          sibling.value[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
          REQUIRE(!takes(size, i, chunk, proof));
          sibling.value[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        }
      }
      proof.emplace_back();
      REQUIRE(!takes(size, i, chunk, proof));
      if (proof.size() > 1) {
        proof.resize(proof.size() - 2);
        REQUIRE(!takes(size, i, chunk, proof));
      }
    }
  }
}

TEST_CASE("size and cut are part of a blob's name") {
  const auto empty = blob_id_of({});
  CHECK(empty != blob_id_of(bytes(1)));
  CHECK(blob_id_of(bytes(64), 16) != blob_id_of(bytes(64), 32));
  CHECK(!verify_chunk(empty, 0, 0, {}, {}));
  // An inner node shown as a chunk has another tag and so another hash.
  const bytes content(64, 1);
  const merkle_tree tree({4, chunk_hash(bytes(16, 1))});
  bytes joined;
  for (int i = 0; i < 2; ++i) {
    const auto half = chunk_hash(bytes(16, 1));
    joined.insert(joined.end(), half.value.begin(), half.value.end());
  }
  CHECK(!verify_chunk(blob_id_of(content, 16), 64, 0, joined, tree.proof(0), 64));
}

}  // namespace soma::crypto
