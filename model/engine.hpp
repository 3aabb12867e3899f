// What scoring is, whoever computes it: the interface that the torch twin and the exact engine
// share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "messages/types/architecture.hpp"
#include "messages/types/bytes.hpp"
#include "messages/types/expected.hpp"
#include "messages/types/ids.hpp"
#include "model/weights/weights.hpp"

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

inline constexpr std::uint64_t max_scored_bytes = 1ull << 30;

enum class score_refusal : std::uint8_t { empty_data, data_too_large, out_of_memory };
[[nodiscard]] std::string_view to_text(score_refusal refusal);

struct score_options {
  std::uint32_t batch = 16;  // sequences a batch; the protocol's value is 16
};

/// H("soma.score", architecture || weights hash || data hash || seed || loss bits || embedding
/// bits). The architecture is layers, dim, heads, ffn, max_seq, 32 bits each. A score that is not
/// valid has the loss bits 7fc00000 and no embedding.
[[nodiscard]] hash256 score_digest(const model_architecture& arch, const weights_hash& weights,
                                   const data_hash& data, std::uint64_t seed, const score& result);

/// One set of weights, ready to score. Not thread-safe: one worker, one engine. `seed` seeds
/// SIGReg's noise; batch b uses seed + b. The same arguments give the same bits on the same
/// machine; for the exact engine, on every machine.
class scoring_engine {
 public:
  virtual ~scoring_engine() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;  // "torch", "exact"
  [[nodiscard]] virtual expected<score, score_refusal> run(byte_view data, std::uint64_t seed,
                                                           const score_options& options = {}) = 0;

  /// Natural-log probabilities of the 256 byte values after each of `context`'s positions:
  /// [context.size()][256] in row order, renormalised over bytes alone. `context` has 1..S bytes,
  /// the first stands at global offset `offset`.
  [[nodiscard]] virtual std::vector<float> next_byte_log_probs(byte_view context,
                                                               std::uint64_t offset = 0) = 0;
};

}  // namespace soma::model
