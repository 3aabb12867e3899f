// Weights as a scorer gets them: encrypted in a blob store, with the entry of the model.
#pragma once

#include "messages/codec/model_entry.hpp"
#include "messages/crypto/aes_ctr.hpp"
#include "model/weights/weights.hpp"
#include "storage/blobs/blob_store.hpp"

namespace soma::test {

inline model_entry stored_model(blobs::blob_store& disk, const weights::model_weights& weights,
                                std::uint64_t activation_order = 0) {
  model_entry entry;
  entry.ref.version = 1;
  entry.ref.model.value[0] = static_cast<std::uint8_t>(activation_order);
  entry.activation_order = activation_order;
  entry.weights = weights.hash();
  entry.key.fill(7);
  entry.manifest.iv.fill(9);
  auto file = weights.file_bytes();
  crypto::aes_ctr(entry.key, entry.manifest.iv).apply(0, file);
  entry.manifest.size_bytes = file.size();
  entry.manifest.chunk_bytes = 1U << 20U;
  entry.manifest.root = *disk.put(file);
  entry.embedding.assign(weights.architecture().dim, 0.25F);
  return entry;
}

}  // namespace soma::test
