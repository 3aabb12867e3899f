// The interface of a scoring engine. The exact engine (exact_engine.hpp) and the reference engine
// of model/reference implement it.
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
  std::uint32_t batch = 16;  // sequences per batch; the protocol's value is 16
  /// An engine that works batch by batch calls it after each batch except the last. If it returns
  /// false, the engine gives the item up.
  exact::progress_hook keep_going = {};
};

/// exact::score_digest with the types of messages/values.
[[nodiscard]] hash256 score_digest(const model_architecture& arch, const weights_hash& weights,
                                   const data_hash& data, std::uint64_t seed, const score& result);

/// Scores data with one set of weights. An engine is not thread-safe: each worker has its own.
///
/// `seed` seeds SIGReg's noise, and batch b uses seed + b. The same arguments give the same bits on
/// the same machine. The exact engine gives the same bits on every machine.
class scoring_engine {
 public:
  virtual ~scoring_engine() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;  // "torch", "exact"
  [[nodiscard]] virtual expected<score, score_refusal> run(byte_view data, std::uint64_t seed,
                                                           const score_options& options = {}) = 0;

  /// Scores several pieces of data in one call, which shares their common work. An item that was
  /// given up is nullopt. If one item cannot be scored, the whole call is refused. The bits are
  /// those of run().
  [[nodiscard]] virtual expected<std::vector<std::optional<score>>, score_refusal> run_all(
      std::span<const score_item> items, const score_options& options = {});

  /// Natural logarithms of the probabilities of the 256 byte values after each position of the
  /// context, [context.size()][256], normalised over the byte values without the other tokens. The
  /// context has 1 .. S bytes, and its first byte has the position `offset`.
  [[nodiscard]] virtual std::vector<float> next_byte_log_probs(byte_view context,
                                                               std::uint64_t offset = 0) = 0;
};

}  // namespace soma::scoring
