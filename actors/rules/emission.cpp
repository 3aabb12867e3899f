#include "actors/rules/emission.hpp"

#include "actors/rules/arithmetic.hpp"

namespace soma::rules {

shannons emission_of(shannons pool, std::uint64_t epochs, epoch_number epoch) {
  if (epoch.value >= epochs) return {};
  return {share_of(pool.value, epoch.value + 1, epochs) -
          share_of(pool.value, epoch.value, epochs)};
}

emission_split split_emission(shannons released, std::uint32_t target_share_bps) {
  const shannons targets{share_of(released.value, target_share_bps, basis_points)};
  return {targets, {released.value - targets.value}};
}

}  // namespace soma::rules
