#include "model/tokens/tokens.hpp"

#include <algorithm>

#include "messages/values/assert.hpp"

namespace soma::tokens {

std::uint64_t sequence_count(std::uint64_t size_bytes, std::uint32_t length) {
  SOMA_ASSERT(length >= 1, "a sequence has at least one token");
  return size_bytes / length + (size_bytes % length != 0);
}

token_batch make_batch(byte_view data, std::uint32_t length, std::uint64_t first,
                       std::uint64_t count) {
  SOMA_ASSERT(data.size() <= UINT32_MAX, "positions are 32-bit byte offsets");
  const std::uint64_t total = sequence_count(data.size(), length);
  SOMA_ASSERT(first <= total, "batches begin inside the data");
  token_batch batch;
  batch.sequences = static_cast<std::uint32_t>(std::min(count, total - first));
  batch.length = length;
  const std::size_t total_tokens = std::size_t{batch.sequences} * length;
  batch.tokens.assign(total_tokens, pad_token);
  batch.positions.assign(total_tokens, static_cast<std::uint32_t>(data.size()));
  batch.targets.assign(total_tokens, pad_token);
  for (std::size_t row = 0; row < batch.sequences; ++row) {
    const std::size_t offset = (first + row) * length;
    const std::size_t used = std::min<std::size_t>(length, data.size() - offset);
    const std::size_t base = row * length;
    for (std::size_t j = 0; j < used; ++j) {
      batch.tokens[base + j] = data[offset + j];
      batch.positions[base + j] = static_cast<std::uint32_t>(offset + j);
    }
    if (used < length) batch.tokens[base + used] = eos_token;
    for (std::size_t j = 0; j + 1 < length; ++j)
      batch.targets[base + j] = batch.tokens[base + j + 1];
  }
  return batch;
}

}  // namespace soma::tokens
