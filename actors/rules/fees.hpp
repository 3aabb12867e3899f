// Protocol §2: what a transaction costs; how the multiplier of an epoch moves so that a wanted
// share of the supply is burned in a year, and how congestion makes full blocks dear from one to
// the next.
#pragma once

#include <optional>

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// The multiplier of a block's fees: that of the epoch times the congestion. Protocol §2.1.
[[nodiscard]] std::uint64_t fee_multiplier(const chain_row& chain);
/// The base fee at a multiplier of 1: base_fee + byte_fee * size. The size is that of body and
/// signature.
[[nodiscard]] std::uint64_t base_units(const genesis_parameters& p, std::uint64_t size_bytes);
/// What a refused transaction pays: multiplier * base units / 10^6, at most the supply. Protocol
/// §2.1.
[[nodiscard]] shannons base_fee(const genesis_parameters& p, std::uint64_t multiplier_ppm,
                                std::uint64_t size_bytes);
/// The part of a fee that follows from the amount that a transaction moves: moved * value_fee_bps /
/// 10^4. Protocol §2.2.
[[nodiscard]] shannons value_fee(const genesis_parameters& p, shannons moved);
/// What a transaction has written.
struct written_rows {
  std::uint64_t rows = 0;
  std::uint64_t new_bytes = 0;  // keys and values of rows that were not there before
};
/// multiplier * (base units + row_fee * rows + row_byte_fee * new bytes) / 10^6 + moved *
/// value_fee_bps / 10^4; nullopt when it does not fit. Protocol §2.2.
[[nodiscard]] std::optional<shannons> full_fee(const genesis_parameters& p,
                                               std::uint64_t multiplier_ppm,
                                               std::uint64_t size_bytes,
                                               const written_rows& written, shannons moved);

/// What should be burned in one epoch: circulating * burn_bps_per_year * epoch_ms / year.
[[nodiscard]] shannons wanted_burn(const genesis_parameters& p, shannons circulating);
/// The next multiplier: the current one * want / burned, but at most 9/8 up or 8/9 down, rounded
/// away from the current value, within its bounds. Protocol §2.5.
[[nodiscard]] std::uint64_t next_multiplier(const genesis_parameters& p,
                                            std::uint64_t multiplier_ppm, shannons want,
                                            shannons burned);

/// The congestion after a block that was so full: above a half it rises, by an eighth when the
/// block was full; below it falls; never under 10^6 nor above 10^12. Protocol §2.6.
[[nodiscard]] std::uint64_t next_congestion(std::uint64_t congestion_ppm,
                                            std::uint64_t fullness_ppm);
/// How full a block is: by its bytes or by its transactions, whichever is more. Protocol §2.6.
[[nodiscard]] std::uint64_t fullness_ppm(std::uint64_t payload_bytes, std::uint64_t transactions);
/// Sets the congestion of the next block. What stopped at the door does not count, or a proposer
/// could make the others pay for nothing. Protocol §2.6.
void count_congestion(block_run& run);

}  // namespace soma::rules
