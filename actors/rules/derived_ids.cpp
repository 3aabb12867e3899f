#include "actors/rules/derived_ids.hpp"

namespace soma::rules {
namespace {

bytes entropy_bytes(const draw_entropy& entropy) {
  const auto block = entropy.block.view();
  bytes all(block.begin(), block.end());
  if (entropy.filled) {
    const auto filled = entropy.filled->view();
    all.insert(all.end(), filled.begin(), filled.end());
  }
  return all;
}

}  // namespace

target_id target_id_of(const draw_entropy& entropy, std::uint64_t index) {
  return signing::target_id_of(entropy_bytes(entropy), index);
}

std::uint64_t target_seed_of(const draw_entropy& entropy, std::uint64_t index) {
  return signing::target_seed(entropy_bytes(entropy), index);
}

std::uint64_t scoring_seed_of(const target_id& target) {
  std::uint64_t seed = 0;
  for (std::size_t i = 8; i-- > 0;) seed = seed << 8 | target.value[i];
  return seed;
}

block_id genesis_parent(const chain_id& chain) {
  return chain.as<block_tag>();
}

}  // namespace soma::rules
