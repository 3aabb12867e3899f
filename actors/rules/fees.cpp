#include "actors/rules/fees.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"
#include "messages/values/assert.hpp"

namespace soma::rules {
namespace {

constexpr std::uint64_t year_ms = 365ull * 86'400'000;
constexpr std::uint64_t most_congestion_ppm = millionths * millionths;

std::optional<shannons> fitting(wide_uint value) {
  if (value > UINT64_MAX) return std::nullopt;
  return shannons{static_cast<std::uint64_t>(value)};
}

wide_uint divide_up(wide_uint a, wide_uint b) {
  return (a + b - 1) / b;
}

}  // namespace

std::uint64_t fee_multiplier(const chain_row& chain) {
  // At most 10^9 * 10^12 / 10^6.
  return static_cast<std::uint64_t>(static_cast<wide_uint>(chain.fee_multiplier_ppm) *
                                    chain.congestion_ppm / millionths);
}

std::uint64_t base_units(const genesis_parameters& p, std::uint64_t size_bytes) {
  const wide_uint units = p.base_fee + static_cast<wide_uint>(p.byte_fee) * size_bytes;
  return fitting(units).value_or(supply_cap).value;
}

shannons base_fee(const genesis_parameters& p, std::uint64_t multiplier_ppm,
                  std::uint64_t size_bytes) {
  const wide_uint fee =
      static_cast<wide_uint>(multiplier_ppm) * base_units(p, size_bytes) / millionths;
  return std::min(fitting(fee).value_or(supply_cap), supply_cap);
}

shannons value_fee(const genesis_parameters& p, shannons moved) {
  return {share_of(moved.value, p.value_fee_bps, basis_points)};
}

std::optional<shannons> full_fee(const genesis_parameters& p, std::uint64_t multiplier_ppm,
                                 std::uint64_t size_bytes, const written_rows& written,
                                 shannons moved) {
  const wide_uint units = static_cast<wide_uint>(base_units(p, size_bytes)) +
                          static_cast<wide_uint>(p.row_fee) * written.rows +
                          static_cast<wide_uint>(p.row_byte_fee) * written.new_bytes;
  if (units > UINT64_MAX) return std::nullopt;
  const wide_uint work = units * multiplier_ppm / millionths;
  return fitting(work + value_fee(p, moved).value);
}

shannons wanted_burn(const genesis_parameters& p, shannons circulating) {
  // At most 10^16 * 10^4: the first product fits 64 bits after the division, the second needs 128.
  const wide_uint a_year =
      static_cast<wide_uint>(circulating.value) * p.burn_bps_per_year / basis_points;
  return fitting(a_year * p.epoch_ms / year_ms).value_or(supply_cap);
}

std::uint64_t next_multiplier(const genesis_parameters& p, std::uint64_t multiplier_ppm,
                              shannons want, shannons burned) {
  SOMA_ASSERT(multiplier_ppm > 0 && p.fee_multiplier_min_ppm <= p.fee_multiplier_max_ppm,
              "the multiplier and its bounds come from a checked genesis");
  const wide_uint current = multiplier_ppm;
  const wide_uint highest = divide_up(current * 9, 8);
  const wide_uint lowest = current * 8 / 9;
  wide_uint next = highest;
  if (burned.value > 0) {
    const wide_uint product = current * want.value;
    next = want > burned ? divide_up(product, burned.value) : product / burned.value;
    next = std::clamp(next, lowest, highest);
  }
  return static_cast<std::uint64_t>(
      std::clamp<wide_uint>(next, p.fee_multiplier_min_ppm, p.fee_multiplier_max_ppm));
}

std::uint64_t fullness_ppm(std::uint64_t payload_bytes, std::uint64_t transactions) {
  const auto by_bytes = share_of(millionths, std::min(payload_bytes, max_block_payload_bytes),
                                 max_block_payload_bytes);
  const auto by_count =
      share_of(millionths, std::min(transactions, max_block_transactions), max_block_transactions);
  return std::max(by_bytes, by_count);
}

std::uint64_t next_congestion(std::uint64_t congestion_ppm, std::uint64_t fullness_ppm) {
  SOMA_ASSERT(fullness_ppm <= millionths, "a block is at most full");
  const wide_int away = 2 * static_cast<wide_int>(fullness_ppm) - millionths;
  const wide_int step = floor_div(static_cast<wide_int>(congestion_ppm) * away, 8 * millionths);
  return static_cast<std::uint64_t>(
      std::clamp<wide_int>(congestion_ppm + step, millionths, most_congestion_ppm));
}

void count_congestion(block_run& run) {
  const auto full = fullness_ppm(run.executed_bytes, run.executed);
  run.state.update_chain(
      [&](chain_row& c) { c.congestion_ppm = next_congestion(c.congestion_ppm, full); });
}

}  // namespace soma::rules
