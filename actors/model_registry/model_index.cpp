#include "actors/model_registry/model_index.hpp"

namespace soma::actors {

model_index::applied model_index::apply(schema::RegistryDelta::Reader delta) {
  if (!delta.getSnapshot()) {
    if (known_ && delta.getToVersion() <= version_) return applied::already;
    if (!known_ || delta.getFromVersion() != version_) return applied::gap;
  } else {
    for (auto& [id, entry] : active_) superseded_.insert_or_assign(entry.ref, entry);
    active_.clear();
  }
  for (const auto& item : delta.getActivated()) {
    auto entry = entry_of(item);
    if (!entry) continue;
    if (const auto old = active_.find(entry->ref.model);
        old != active_.end() && old->second.ref != entry->ref) {
      superseded_.insert_or_assign(old->second.ref, old->second);
    }
    superseded_.erase(entry->ref);
    active_.insert_or_assign(entry->ref.model, std::move(*entry));
  }
  for (const auto& item : delta.getRetired()) {
    const auto old = active_.find(ref_of(item).model);
    if (old == active_.end()) continue;
    superseded_.insert_or_assign(old->second.ref, old->second);
    active_.erase(old);
  }
  version_ = delta.getToVersion();
  known_ = true;
  return applied::yes;
}

const model_entry* model_index::find(const model_version_ref& ref) const {
  if (const auto now = active_.find(ref.model); now != active_.end() && now->second.ref == ref) {
    return &now->second;
  }
  const auto before = superseded_.find(ref);
  return before == superseded_.end() ? nullptr : &before->second;
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

}  // namespace soma::actors
