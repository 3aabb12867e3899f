#include "model/engine.hpp"

#include <bit>

#include "messages/crypto/hash.hpp"

namespace soma::model {

std::string_view to_text(score_refusal refusal) {
  switch (refusal) {
    case score_refusal::empty_data:
      return "there is no data to score";
    case score_refusal::data_too_large:
      return "the data is larger than 1 GiB";
    case score_refusal::out_of_memory:
      return "there is not enough memory to score with these weights";
  }
  return "unknown";
}

hash256 score_digest(const model_architecture& arch, const weights_hash& weights,
                     const data_hash& data, std::uint64_t seed, const score& result) {
  crypto::tagged_hash hash("soma.score");
  for (const auto number : {arch.layers, arch.dim, arch.heads, arch.ffn, arch.max_seq}) {
    hash.add_u32(number);
  }
  hash.add(weights).add(data).add_u64(seed);
  if (!result.valid) {
    // NaNs come in many bit patterns; one stands for all of them.
    hash.add_u32(0x7fc0'0000u);
    return hash.finish();
  }
  hash.add_u32(std::bit_cast<std::uint32_t>(result.loss));
  for (const float value : result.embedding) hash.add_u32(std::bit_cast<std::uint32_t>(value));
  return hash.finish();
}

}  // namespace soma::model
