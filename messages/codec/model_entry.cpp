#include "messages/codec/model_entry.hpp"

namespace soma::inline codec {

std::vector<float> floats_of(capnp::List<float>::Reader list) {
  std::vector<float> out(list.size());
  for (unsigned i = 0; i < list.size(); ++i) out[i] = list[i];
  return out;
}

void fill(capnp::List<float>::Builder list, std::span<const float> values) {
  for (unsigned i = 0; i < list.size() && i < values.size(); ++i) list.set(i, values[i]);
}

model_version_ref ref_of(schema::ModelVersionRef::Reader ref) {
  return {id_or_zero<model_id>(ref.getModel()), ref.getVersion()};
}

void fill(schema::ModelVersionRef::Builder out, const model_version_ref& ref) {
  out.setModel(data_of(ref.model));
  out.setVersion(ref.version);
}

std::optional<model_entry> entry_of(schema::ModelEntry::Reader in) {
  const auto model = id_of<model_id>(in.getRef().getModel());
  const auto owner = id_of<address>(in.getOwner());
  const auto weights = id_of<weights_hash>(in.getWeights());
  const auto key = array_of<32>(in.getKey());
  const auto iv = array_of<16>(in.getIv());
  const auto root = id_of<blob_id>(in.getRoot());
  if (!model || !owner || !weights || !key || !iv || !root) return std::nullopt;
  model_entry out;
  out.ref = {*model, in.getRef().getVersion()};
  out.owner = *owner;
  out.stake = {in.getStakeShannons()};
  out.activation_order = in.getActivationOrder();
  out.weights = *weights;
  out.key = *key;
  out.manifest = {in.getSizeBytes(), 1u << 20, *root, *iv};
  out.embedding = floats_of(in.getEmbedding());
  return out;
}

void fill(schema::ModelEntry::Builder out, const model_entry& entry) {
  fill(out.initRef(), entry.ref);
  out.setOwner(data_of(entry.owner));
  out.setStakeShannons(entry.stake.value);
  out.setActivationOrder(entry.activation_order);
  out.setWeights(data_of(entry.weights));
  out.setKey(data_of(entry.key));
  out.setIv(data_of(entry.manifest.iv));
  out.setSizeBytes(entry.manifest.size_bytes);
  out.setRoot(data_of(entry.manifest.root));
  fill(out.initEmbedding(static_cast<unsigned>(entry.embedding.size())), entry.embedding);
}

}  // namespace soma::inline codec
