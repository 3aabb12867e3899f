// Turns bytes into the sequences of tokens that a model sees (arithmetic §5.1). A sequence is a
// chunk of S bytes; a short last chunk is filled up with one EOS and then PAD. Positions are byte
// offsets in the whole data. Targets are the tokens shifted left by one, and the last token of a
// sequence has the target PAD.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/values/bytes.hpp"

namespace soma::tokens {

using token = std::uint16_t;  // 0 .. 255 are bytes
inline constexpr token pad_token = 256;
inline constexpr token eos_token = 257;

/// `sequences` sequences of `length` tokens each, one after the other.
struct token_batch {
  std::uint32_t sequences = 0;
  std::uint32_t length = 0;
  std::vector<token> tokens;
  std::vector<std::uint32_t> positions;
  std::vector<token> targets;  // PAD where there is nothing to predict
};

/// The number of sequences of the data: size / length rounded up.
[[nodiscard]] std::uint64_t sequence_count(std::uint64_t size_bytes, std::uint32_t length);

/// The sequences first, first + 1, … of the data: `count` of them, or fewer at its end. The data
/// has less than 2^32 bytes, since positions have 32 bits.
[[nodiscard]] token_batch make_batch(byte_view data, std::uint32_t length, std::uint64_t first,
                                     std::uint64_t count);

}  // namespace soma::tokens
