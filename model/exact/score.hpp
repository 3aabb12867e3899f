// What a score is, and the digest that names it (arithmetic §7).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "messages/values/architecture.hpp"
#include "messages/values/bytes.hpp"

namespace soma::exact {

/// The score of one model on one piece of data: running means over batches (arithmetic §5.9 to
/// §5.13), and the mean cost of a predicted byte in bits. EOS is not a byte.
struct score {
  float loss = 0;  // cross_entropy + 0.02 * sigreg of each batch
  float cross_entropy = 0;
  float sigreg = 0;
  float bits_per_byte = 0;       // 0 where no byte is predicted
  std::vector<float> embedding;  // [D]
  /// False means NaN or infinity in loss or embedding: such a score loses to every valid one. Which
  /// NaN it is makes no difference (arithmetic §1.5).
  bool valid = false;
};

struct score_item {
  byte_view data;          // 1 .. 2^32 - 1 bytes
  std::uint64_t seed = 0;  // batch b draws SIGReg's directions from seed + b
};

/// What is known of an item's score after some of its batches.
struct partial_score {
  std::size_t item = 0;
  std::uint64_t batches_done = 0;
  std::uint64_t batches = 0;
  float loss = 0;  // the running mean so far
};
/// Called between batches; returns false to give the item up, which leaves its score unfinished.
using progress_hook = std::function<bool(const partial_score&)>;

/// A lower bound of the loss that an item ends with. No batch has a loss below zero, so the bound
/// is what remains of the mean if all later batches have the loss zero. It is rounded down and
/// allows for the rounding of the remaining steps. It is NaN when the loss is.
[[nodiscard]] float least_final_loss(const partial_score& partial);

using digest_bytes = std::array<std::uint8_t, 32>;

/// The digest of arithmetic §7.1 and §7.2.
[[nodiscard]] digest_bytes score_digest(const model_architecture& arch, const digest_bytes& weights,
                                        const digest_bytes& data, std::uint64_t seed,
                                        const score& result);

}  // namespace soma::exact
