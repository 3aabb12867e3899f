// A part of a ledger as it travels to those who take the whole over: the rows of a range of key
// hashes with what proves that these are all of them. What must hold:
//   - A chunk whose check passes is the ledger's own, for a ledger with that state root.
//   - Reading costs what was received; no size is believed before it is seen.
//
// Its bytes, little endian: depth u32 | first u64 | end u64 | size of the proof u32 | proof
// (codec_proofs.hpp) | rows u32 | of each row, ascending by the hash of its key: size of key u32 |
// key | size of value u32 | value.
#pragma once

#include <string_view>
#include <vector>

#include "actors/state_tree/state_proof.hpp"

namespace soma::state_sync {

/// Rows of one chunk, keys and values together, unless one leaf alone has more. With what is beside
/// them a chunk stays below 1 MiB.
inline constexpr std::uint64_t chunk_row_bytes = 600u << 10;
/// A chunk is never read from more.
inline constexpr std::size_t max_chunk_bytes = std::size_t{8} << 20;

enum class chunk_refusal : std::uint8_t {
  malformed = 1,  // or larger than any
  not_next,       // its range does not begin where the last one ended
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

/// Where the chunks that were checked so far end: key hashes below are all here. Ranges of
/// different depths are compared by it.
class chunk_position {
 public:
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] std::uint64_t passed() const { return next_; }
  /// Of the whole ledger, proven by the chunks so far.
  [[nodiscard]] const std::optional<state_totals>& totals() const { return totals_; }
  /// Checks that this chunk is the next one of a ledger with this root, and steps behind it.
  expected<void, chunk_refusal> step(const snapshot_chunk& chunk, const state_root& root);

 private:
  std::uint64_t next_ = 0;  // the first 63 bits of a key hash
  bool complete_ = false;
  std::optional<state_totals> totals_;
};

}  // namespace soma::state_sync
