// What a score is, and the digest that names it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "messages/types/architecture.hpp"
#include "messages/types/bytes.hpp"

namespace soma::model {

/// Score of one model on one piece of data. exact-arithmetic.md §5: loss = cross_entropy + 0.02 *
/// sigreg, each a running mean over batches of 16 sequences; `bits_per_byte` is the mean over
/// predicted bytes, in bits: EOS is not a byte, and where no byte is predicted it is 0.
struct score {
  float loss = 0;
  float cross_entropy = 0;
  float sigreg = 0;
  float bits_per_byte = 0;
  std::vector<float> embedding;  // D values
  bool valid = false;  // false: NaN or infinity in loss or embedding; loses to any valid score
};

}  // namespace soma::model

namespace soma::exact {

struct score_item {
  byte_view data;          // at least one byte, at most 2^32 - 1
  std::uint64_t seed = 0;  // batch b draws its directions from seed + b
};

/// What is known after some batches of an item.
struct partial_score {
  std::size_t item = 0;
  std::uint64_t batches_done = 0;
  std::uint64_t batches = 0;
  float loss = 0;  // running mean so far
};
/// Returns false to give the item up: its score is not finished.
using progress_hook = std::function<bool(const partial_score&)>;

/// A lower bound of the loss that an item will end with: what is to come adds nothing below zero.
/// Rounded down, rounding of the remaining steps included; NaN when the loss is.
[[nodiscard]] float least_final_loss(const partial_score& partial);

using digest_bytes = std::array<std::uint8_t, 32>;

/// H("soma.score", architecture || weights hash || data hash || seed || loss bits || embedding
/// bits), integers in little endian. The architecture is layers, dim, heads, ffn, max_seq, 32 bits
/// each. A score that is not valid has the loss bits 7fc00000 and no embedding.
[[nodiscard]] digest_bytes score_digest(const model_architecture& arch, const digest_bytes& weights,
                                        const digest_bytes& data, std::uint64_t seed,
                                        const model::score& result);

}  // namespace soma::exact
