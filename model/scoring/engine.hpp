// What scoring is, whichever engine computes it. The exact engine (exact_engine.hpp) and the
// reference engine of model/reference have this interface.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/values/architecture.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/ids.hpp"
#include "model/exact/score.hpp"
#include "model/weights/weights.hpp"

namespace soma::scoring {

using exact::score;
using exact::score_item;

inline constexpr std::uint64_t max_scored_bytes = 1ull << 30;

enum class score_refusal : std::uint8_t { empty_data, data_too_large, out_of_memory, given_up };
[[nodiscard]] std::string_view to_text(score_refusal refusal);

struct score_options {
  std::uint32_t batch = 16;  // sequences a batch; the protocol's value is 16
  /// An engine that works batch by batch calls it after each batch but the last. Returning false
  /// gives the item up.
  exact::progress_hook keep_going = {};
};

/// exact::score_digest in the product's types.
[[nodiscard]] hash256 score_digest(const model_architecture& arch, const weights_hash& weights,
                                   const data_hash& data, std::uint64_t seed, const score& result);

/// One set of weights, ready to score. An engine is not thread-safe: each worker has its own.
///
/// `seed` seeds SIGReg's noise, and batch b uses seed + b. The same arguments give the same bits on
/// the same machine; from the exact engine they give the same bits on every machine.
class scoring_engine {
 public:
  virtual ~scoring_engine() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;  // "torch", "exact"
  [[nodiscard]] virtual expected<score, score_refusal> run(byte_view data, std::uint64_t seed,
                                                           const score_options& options = {}) = 0;

  /// Scores several pieces of data in one go, which shares the work they have in common. An item
  /// that was given up has nullopt; if one item cannot be scored, the whole call is refused. The
  /// bits are those of run().
  [[nodiscard]] virtual expected<std::vector<std::optional<score>>, score_refusal> run_all(
      std::span<const score_item> items, const score_options& options = {});

  /// Natural logarithms of the probabilities of the 256 byte values after each position of the
  /// context, [context.size()][256], normalised over the bytes alone. The context has 1 .. S bytes,
  /// and its first byte has the position `offset`.
  [[nodiscard]] virtual std::vector<float> next_byte_log_probs(byte_view context,
                                                               std::uint64_t offset = 0) = 0;
};

}  // namespace soma::scoring
