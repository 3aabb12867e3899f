// The active versions of all models as a role last heard of them: what registry and router keep,
// and how a RegistryDelta changes it. Plain state; the ledger is the truth, this is its copy at one
// registry version.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "messages/types/fields.hpp"
#include "messages/types/message.hpp"

namespace soma::actors {

class model_index {
 public:
  enum class applied : std::uint8_t { yes, already, gap };

  /// A snapshot always fits; a delta only onto its `fromVersion`, and one at or below the version
  /// held is `already`.
  applied apply(schema::RegistryDelta::Reader delta);

  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// Active versions in ascending order of model id.
  [[nodiscard]] const std::map<model_id, model_entry>& active() const { return active_; }
  /// Any version ever heard of, superseded ones included; nullptr when nobody knows it.
  [[nodiscard]] const model_entry* find(const model_version_ref& ref) const;

 private:
  std::uint64_t version_ = 0;
  bool known_ = false;
  std::map<model_id, model_entry> active_;
  std::map<model_version_ref, model_entry> superseded_;
};

/// What takes an index from nothing to these entries.
[[nodiscard]] message<schema::RegistryDelta> snapshot_of(std::uint64_t version,
                                                         const std::vector<model_entry>& entries);

}  // namespace soma::actors
