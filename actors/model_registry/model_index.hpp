// The active versions of all models as a role last heard of them: what registry and router keep,
// and how a RegistryDelta changes it. Plain state; the ledger is the truth, this is its copy at one
// registry version.
//
// Embeddings of active versions stand once, in an index that is made to be scanned: 100,000 models
// of 2,048 values hold 854 MB, of which 819 MB are values and 24 MB all else that is known of a
// model. A superseded version keeps all that was known of it: targets that are still open name it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "messages/codec/model_entry.hpp"
#include "messages/wire/message.hpp"
#include "model/exact/index/nearest.hpp"

namespace soma::model_registry {

/// An active version. Its embedding is not in `entry` but in the index of its dimension.
struct active_model {
  model_entry entry;
  std::size_t dim = 0;  // 0: it has no embedding and no slot
  exact::embedding_slot slot = 0;
};

class model_index {
 public:
  enum class applied : std::uint8_t { yes, already, gap };

  /// A snapshot always fits; a delta only onto its `fromVersion`, and one at or below the version
  /// held is `already`.
  applied apply(schema::RegistryDelta::Reader delta);

  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// Active versions in ascending order of model id.
  [[nodiscard]] const std::map<model_id, active_model>& active() const { return active_; }
  /// An active version with its embedding.
  [[nodiscard]] model_entry full_entry(const active_model& model) const;
  /// Any version that a delta has named, superseded ones included; nullopt for all others.
  [[nodiscard]] std::optional<model_entry> find(const model_version_ref& ref) const;
  /// The embeddings of this dimension; nullptr when no model has any.
  [[nodiscard]] const exact::embedding_index* embeddings(std::size_t dim) const;

 private:
  void activate(model_entry entry);
  void supersede(const model_id& id);
  void place(active_model& model, const std::vector<float>& embedding);
  void unplace(const active_model& model);

  std::uint64_t version_ = 0;
  bool known_ = false;
  std::map<model_id, active_model> active_;
  std::map<std::size_t, exact::embedding_index> embeddings_;  // by dimension: a network has one
  std::map<model_version_ref, model_entry> superseded_;
};

/// What takes an index from nothing to these entries.
[[nodiscard]] message<schema::RegistryDelta> snapshot_of(std::uint64_t version,
                                                         const std::vector<model_entry>& entries);

}  // namespace soma::model_registry
