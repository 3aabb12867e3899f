// Bytes as the sequences a model sees. Reference §9.3: chunks of S bytes; a short last chunk is
// closed by EOS and filled with PAD; positions are global byte offsets; targets are the tokens
// shifted left, PAD in the last slot.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/types/bytes.hpp"

namespace soma::model {

using token = std::uint16_t;  // 0..255 are bytes
inline constexpr token pad_token = 256;
inline constexpr token eos_token = 257;

/// `sequences` rows of `length` slots each, row after row.
struct token_batch {
  std::uint32_t sequences = 0;
  std::uint32_t length = 0;
  std::vector<token> tokens;
  std::vector<std::uint32_t> positions;
  std::vector<token> targets;  // PAD: nothing to predict here
};

/// ceil(size / length); none for no data.
[[nodiscard]] std::uint64_t sequence_count(std::uint64_t size_bytes, std::uint32_t length);

/// Sequences first, first + 1, … of the data: `count` of them, fewer at its end. Positions must fit
/// 32 bits.
[[nodiscard]] token_batch make_batch(byte_view data, std::uint32_t length, std::uint64_t first,
                                     std::uint64_t count);

}  // namespace soma::model
