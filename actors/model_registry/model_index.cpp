#include "actors/model_registry/model_index.hpp"

#include <set>
#include <utility>

namespace soma::model_registry {

model_index::applied model_index::apply(schema::RegistryDelta::Reader delta) {
  // A snapshot supersedes the models that it does not name. The models that it names are replaced
  // in place, so that memory never holds all models twice.
  std::set<model_id> unnamed;
  if (!delta.getSnapshot()) {
    if (known_ && delta.getToVersion() <= version_) return applied::already;
    if (!known_ || delta.getFromVersion() != version_) return applied::gap;
  } else {
    for (const auto& [id, model] : active_) unnamed.insert(id);
  }
  for (const auto& item : delta.getActivated()) {
    auto entry = entry_of(item);
    if (!entry) continue;
    unnamed.erase(entry->ref.model);
    activate(std::move(*entry));
  }
  for (const auto& id : unnamed) supersede(id);
  for (const auto& item : delta.getRetired()) supersede(ref_of(item).model);
  version_ = delta.getToVersion();
  known_ = true;
  return applied::yes;
}

void model_index::activate(model_entry entry) {
  const auto id = entry.ref.model;
  if (const auto old = active_.find(id); old != active_.end()) {
    if (old->second.entry.ref != entry.ref) {
      superseded_.insert_or_assign(old->second.entry.ref, full_entry(old->second));
    }
    unplace(old->second);
  }
  superseded_.erase(entry.ref);
  auto& model = active_[id];
  const auto embedding = std::exchange(entry.embedding, {});
  model.entry = std::move(entry);
  place(model, embedding);
}

void model_index::supersede(const model_id& id) {
  const auto old = active_.find(id);
  if (old == active_.end()) return;
  superseded_.insert_or_assign(old->second.entry.ref, full_entry(old->second));
  unplace(old->second);
  active_.erase(old);
}

void model_index::place(active_model& model, const std::vector<float>& embedding) {
  model.dim = embedding.size();
  if (model.dim == 0) return;
  model.slot = embeddings_.try_emplace(model.dim, model.dim).first->second.insert(embedding);
}

void model_index::unplace(const active_model& model) {
  if (model.dim != 0) embeddings_.at(model.dim).remove(model.slot);
}

model_entry model_index::full_entry(const active_model& model) const {
  auto entry = model.entry;
  if (model.dim != 0) entry.embedding = embeddings_.at(model.dim).embedding(model.slot);
  return entry;
}

std::optional<model_entry> model_index::find(const model_version_ref& ref) const {
  if (const auto now = active_.find(ref.model);
      now != active_.end() && now->second.entry.ref == ref) {
    return full_entry(now->second);
  }
  const auto before = superseded_.find(ref);
  return before == superseded_.end() ? std::nullopt : std::optional(before->second);
}

const exact::embedding_index* model_index::embeddings(std::size_t dim) const {
  const auto found = embeddings_.find(dim);
  return found == embeddings_.end() ? nullptr : &found->second;
}

message<schema::RegistryDelta> snapshot_of(std::uint64_t version,
                                           const std::vector<model_entry>& entries) {
  return message<schema::RegistryDelta>::build([&](auto out) {
    out.setFromVersion(0);
    out.setToVersion(version);
    out.setSnapshot(true);
    auto list = out.initActivated(static_cast<unsigned>(entries.size()));
    for (unsigned i = 0; i < entries.size(); ++i) fill(list[i], entries[i]);
  });
}

}  // namespace soma::model_registry
