// Protocol §2: what a transaction costs, and how the multiplier moves so that a wanted share of the
// supply is burned in a year.
#pragma once

#include <optional>

#include "messages/values/genesis.hpp"

namespace soma::rules {

/// What a refused transaction pays: multiplier * base_fee / 10^6. Protocol §2.1.
[[nodiscard]] std::optional<shannons> base_fee(const genesis_parameters& p,
                                               std::uint64_t multiplier_ppm);
/// The part of a fee that follows from the amount that a transaction moves: moved * value_fee_bps /
/// 10^4. Protocol §2.2.
[[nodiscard]] shannons value_fee(const genesis_parameters& p, shannons moved);
/// multiplier * (base_fee + row_fee * rows) / 10^6 + moved * value_fee_bps / 10^4; nullopt when it
/// does not fit. Protocol §2.2.
[[nodiscard]] std::optional<shannons> full_fee(const genesis_parameters& p,
                                               std::uint64_t multiplier_ppm, std::uint64_t rows,
                                               shannons moved);

/// What should be burned in one epoch: circulating * burn_bps_per_year * epoch_ms / year.
[[nodiscard]] shannons wanted_burn(const genesis_parameters& p, shannons circulating);
/// The next multiplier: the current one * want / burned, but at most 9/8 up or 8/9 down, rounded
/// away from the current value, within its bounds. Protocol §2.5.
[[nodiscard]] std::uint64_t next_multiplier(const genesis_parameters& p,
                                            std::uint64_t multiplier_ppm, shannons want,
                                            shannons burned);

}  // namespace soma::rules
