// The models of a network that is kept on disk, ready to be asked: registry and router filled from
// its ledger, scorers over its blobs, the global model in front. Reads only; a network that runs
// elsewhere is not disturbed.
#pragma once

#include <filesystem>
#include <memory>

#include "actors/global_model/global_model.hpp"
#include "actors/localnet/world.hpp"
#include "actors/scorer/scorer_worker.hpp"
#include "messages/values/genesis.hpp"

namespace soma::localnet {

class stored_network {
 public:
  /// `directory` holds `ledger` and `blobs` as a local network leaves them. Throws lmdb::failure or
  /// storage::blob_failure when they cannot be read.
  stored_network(const std::filesystem::path& directory, unsigned threads,
                 const scorer::worker_engines& new_engines);

  [[nodiscard]] std::size_t models() const { return models_; }
  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  [[nodiscard]] message<schema::Answer> ask(const message<schema::Ask>& question);
  [[nodiscard]] message<schema::Evaluation> evaluate(const message<schema::Evaluate>& question);

 private:
  soma::genesis genesis_;
  std::size_t models_ = 0;
  world world_;
  global_model::global_model_actor oracle_;
};

}  // namespace soma::localnet
