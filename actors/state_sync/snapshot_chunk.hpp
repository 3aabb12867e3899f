// A chunk is a part of a ledger as it travels to a node that takes the ledger over: the rows of a
// range of key hashes, with a proof that these are all rows of the range. What must hold:
//   - A chunk that passes the check belongs to the ledger with that state root.
//   - Reading a chunk costs no more than its bytes: a size that it states is not trusted before so
//     many bytes are there.
//
// Format, numbers little endian:
//   depth u32 | first u64 | end u64
//   size of the proof u32 | proof (codec_proofs.hpp)
//   number of rows u32
//   each row, ascending by the hash of its key: size of key u32 | key | size of value u32 | value
#pragma once

#include <string_view>
#include <vector>

#include "actors/state_tree/state_proof.hpp"

namespace soma::state_sync {

/// The most bytes of rows in one chunk, keys and values together, unless a single leaf of the tree
/// has more. With the proof a chunk stays below 1 MiB.
inline constexpr std::uint64_t chunk_row_bytes = 600u << 10;
/// More bytes than this are never read as a chunk.
inline constexpr std::size_t max_chunk_bytes = std::size_t{8} << 20;

enum class chunk_refusal : std::uint8_t {
  malformed = 1,  // or larger than max_chunk_bytes
  not_next,       // its range does not begin where the last chunk ended
  not_of_ledger,  // state_tree::verify_chunk says why
};
[[nodiscard]] std::string_view to_text(chunk_refusal reason);

struct snapshot_chunk {
  state_range range;
  chunk_proof proof;
  struct row {
    bytes key;
    bytes value;
  };
  std::vector<row> rows;  // ascending by the hash of their key
};

[[nodiscard]] bytes encode_chunk(const snapshot_chunk& chunk);
[[nodiscard]] expected<snapshot_chunk, chunk_refusal> decode_chunk(byte_view data);

/// The position up to which chunks were checked: all rows with lower key hashes are here. Ranges of
/// different depths can be compared by it.
class chunk_position {
 public:
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] std::uint64_t passed() const { return next_; }
  /// The totals of the whole ledger, which each chunk proves.
  [[nodiscard]] const std::optional<state_totals>& totals() const { return totals_; }
  /// Checks that this chunk is the next one of the ledger with this root, and moves on to its end.
  expected<void, chunk_refusal> step(const snapshot_chunk& chunk, const state_root& root);

 private:
  std::uint64_t next_ = 0;  // the first 63 bits of a key hash
  bool complete_ = false;
  std::optional<state_totals> totals_;
};

}  // namespace soma::state_sync
