#include "model/exact/score.hpp"

#include <bit>
#include <cmath>
#include <string_view>

#include "messages/values/assert.hpp"
#include "model/exact/sha256.hpp"

namespace soma::exact {
namespace {

void add_u32(sha256& hash, std::uint32_t value) {
  const std::uint8_t raw[4] = {
      static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
      static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
  hash.add(raw, sizeof raw);
}

}  // namespace

float least_final_loss(const partial_score& partial) {
  SOMA_ASSERT(partial.batches >= 1 && partial.batches_done <= partial.batches,
              "no more batches are done than there are");
  // Every step m + (x - m) / n with x >= 0 gives at least m (1 - 1/n), less three roundings. All
  // steps together give at least m * done / batches, less a share of 3 * 2^-24 and one subnormal a
  // step.
  const double left = static_cast<double>(partial.batches - partial.batches_done);
  const double share =
      static_cast<double>(partial.batches_done) / static_cast<double>(partial.batches);
  const double least =
      static_cast<double>(partial.loss) * share * (1 - 3 * left * 0x1p-24 - 0x1p-40) -
      left * 0x1p-148;
  if (!std::isfinite(least)) return static_cast<float>(least);
  if (least <= 0) return 0.0f;
  return std::nextafter(static_cast<float>(least), 0.0f);
}

digest_bytes score_digest(const model_architecture& arch, const digest_bytes& weights,
                          const digest_bytes& data, std::uint64_t seed, const score& result) {
  constexpr std::string_view tag = "soma.score";  // arithmetic §7.1
  sha256 hash;
  const auto tag_size = static_cast<std::uint8_t>(tag.size());
  hash.add(&tag_size, 1);
  hash.add(reinterpret_cast<const std::uint8_t*>(tag.data()), tag.size());
  for (const auto number : {arch.layers, arch.dim, arch.heads, arch.ffn, arch.max_seq}) {
    add_u32(hash, number);
  }
  hash.add(weights.data(), weights.size());
  hash.add(data.data(), data.size());
  add_u32(hash, static_cast<std::uint32_t>(seed));
  add_u32(hash, static_cast<std::uint32_t>(seed >> 32));
  if (!result.valid) {
    // NaNs have many bit patterns. One of them stands for all (arithmetic §7.2).
    add_u32(hash, 0x7fc0'0000u);
    return hash.finish();
  }
  add_u32(hash, std::bit_cast<std::uint32_t>(result.loss));
  for (const float value : result.embedding) add_u32(hash, std::bit_cast<std::uint32_t>(value));
  return hash.finish();
}

}  // namespace soma::exact
