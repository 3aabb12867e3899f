// What scoring is, whoever computes it: the interface that the torch twin and the exact engine
// share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/types/architecture.hpp"
#include "messages/types/bytes.hpp"
#include "messages/types/expected.hpp"
#include "messages/types/ids.hpp"
#include "model/exact/score.hpp"
#include "model/weights/weights.hpp"

namespace soma::model {

inline constexpr std::uint64_t max_scored_bytes = 1ull << 30;

enum class score_refusal : std::uint8_t { empty_data, data_too_large, out_of_memory, given_up };
[[nodiscard]] std::string_view to_text(score_refusal refusal);

struct score_options {
  std::uint32_t batch = 16;  // sequences a batch; the protocol's value is 16
  /// Asked after each batch but the last, where the engine works batch by batch: false gives the
  /// item up.
  exact::progress_hook keep_going = {};
};

/// exact::score_digest in the product's types.
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

  /// Several pieces of data in one go, which shares what they have in common; nullopt for an item
  /// that was given up, a refusal when any of them is not to be scored. Same bits as run().
  [[nodiscard]] virtual expected<std::vector<std::optional<score>>, score_refusal> run_all(
      std::span<const exact::score_item> items, const score_options& options = {});

  /// Natural-log probabilities of the 256 byte values after each of `context`'s positions:
  /// [context.size()][256] in row order, renormalised over bytes alone. `context` has 1..S bytes,
  /// the first stands at global offset `offset`.
  [[nodiscard]] virtual std::vector<float> next_byte_log_probs(byte_view context,
                                                               std::uint64_t offset = 0) = 0;
};

}  // namespace soma::model
