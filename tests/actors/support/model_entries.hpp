// Model entries for tests of the registry and the router.
#pragma once

#include <vector>

#include "messages/codec/model_entry.hpp"
#include "messages/crypto/random.hpp"
#include "messages/wire/message.hpp"
#include "model/noise/noise.hpp"

namespace soma::test {

/// A version of a model. All fields follow from these numbers.
inline model_entry entry(std::uint64_t number, std::uint32_t version = 1, std::size_t dim = 16) {
  crypto::seeded_random random(number * 100 + version);
  model_entry out;
  for (std::size_t i = 0; i < 3; ++i) {
    out.ref.model.value[i] = static_cast<std::uint8_t>(number >> 8 * (2 - i));
  }
  out.ref.version = version;
  out.owner = random.next_id<address>();
  out.stake = {random.below(1'000'000)};
  out.activation_order = number;
  out.weights = random.next_id<weights_hash>();
  random.fill(out.key);
  random.fill(out.manifest.iv);
  out.manifest.chunk_bytes = 1u << 20;
  out.manifest.root = random.next_id<blob_id>();
  out.manifest.size_bytes = 1 + random.below(1 << 30);
  out.embedding = noise::normals(number * 7 + version, dim);
  return out;
}

inline message<schema::RegistryDelta> delta(std::uint64_t from, std::uint64_t to,
                                            const std::vector<model_entry>& in,
                                            const std::vector<model_version_ref>& out_refs = {}) {
  return message<schema::RegistryDelta>::build([&](auto out) {
    out.setFromVersion(from);
    out.setToVersion(to);
    auto list = out.initActivated(static_cast<unsigned>(in.size()));
    for (unsigned i = 0; i < in.size(); ++i) fill(list[i], in[i]);
    auto refs = out.initRetired(static_cast<unsigned>(out_refs.size()));
    for (unsigned i = 0; i < out_refs.size(); ++i) fill(refs[i], out_refs[i]);
  });
}

}  // namespace soma::test
