#include "actors/rules/derived_ids.hpp"

#include <bit>

#include "messages/crypto/hash.hpp"

namespace soma::rules {
namespace {

std::uint64_t first_u64(byte_view digest) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | digest[i];
  return value;
}

hash256 draw_hash(std::string_view tag, const draw_entropy& entropy, std::uint64_t index) {
  crypto::tagged_hash h(tag);
  h.add(entropy.block);
  if (entropy.filled) h.add(*entropy.filled);
  return h.add_u64(index).finish();
}

}  // namespace

model_id model_id_of(const transaction_id& commit) {
  return crypto::hash("soma.model", commit.view()).as<model_tag>();
}

hash256 model_commitment(const weights_hash& weights, const cipher_key& key,
                         std::span<const float> embedding, const hash256& salt) {
  crypto::tagged_hash h("soma.commit");
  h.add(weights).add(byte_view(key));
  for (const float value : embedding) h.add_u32(std::bit_cast<std::uint32_t>(value));
  return h.add(salt).finish();
}

hash256 data_commitment(const data_hash& data, std::uint64_t size_bytes, const hash256& salt,
                        const address& sender) {
  return crypto::tagged_hash("soma.data")
      .add(data)
      .add_u64(size_bytes)
      .add(salt)
      .add(sender)
      .finish();
}

target_id target_id_of(const draw_entropy& entropy, std::uint64_t index) {
  return draw_hash("soma.target-id", entropy, index).as<target_tag>();
}

std::uint64_t target_seed_of(const draw_entropy& entropy, std::uint64_t index) {
  return first_u64(draw_hash("soma.target", entropy, index).view());
}

std::uint64_t scoring_seed_of(const target_id& target) {
  return first_u64(target.view());
}

block_id genesis_parent(const chain_id& chain) {
  return chain.as<block_tag>();
}

hash256 payload_root_of(std::span<const transaction_id> transactions) {
  crypto::tagged_hash h("soma.payload");
  for (const auto& id : transactions) h.add(id);
  return h.finish();
}

}  // namespace soma::rules
