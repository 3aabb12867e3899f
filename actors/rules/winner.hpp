// Which of the assigned models won, protocol §8.3.3. A later model must be better by one part in
// 4096 to take the lead, so a copy with a little noise never beats its original.
#pragma once

#include <span>
#include <vector>

#include "actors/rules/arithmetic.hpp"
#include "messages/values/transactions.hpp"

namespace soma::rules {

/// floor(loss * 2^24) of a binary32; nullopt for NaN, infinity and negative numbers, -0 included.
/// At most 2^152, kept as the significand and a shift, since no integer type is that wide. Protocol
/// §8.3.2.
struct scaled_loss {
  std::uint32_t significand = 0;
  std::uint32_t shift = 0;  // value = significand * 2^shift
};
[[nodiscard]] std::optional<scaled_loss> scale_loss(std::uint32_t loss_bits);
/// later * 4096 < leader * 4095, exactly.
[[nodiscard]] bool takes_the_lead(const scaled_loss& later, const scaled_loss& leader);

struct contender {
  model_version_ref model;
  std::uint64_t activation_order = 0;  // position in which the version became active
  std::uint32_t loss_bits = 0;
  bool valid = false;  // false: its score was not finite
};
/// Indices in the order in which models became active, then by id.
[[nodiscard]] std::vector<std::size_t> by_activation(std::span<const contender> contenders);
/// Index of the winner, nullopt when no contender is valid. The order of the list does not matter.
[[nodiscard]] std::optional<std::size_t> winner_of(std::span<const contender> contenders);

/// Whether a model with a loss of at least `least_loss` (not NaN) can no longer win. `earlier`
/// holds all models that became active before it. To leave such a model out changes no winner: it
/// would never have taken the lead, and only leaders count.
[[nodiscard]] bool cannot_win(float least_loss, std::span<const contender> earlier);

}  // namespace soma::rules
