// Answers questions with the models of a network that is kept on disk. The registry and the router
// are filled from its ledger, scorers read its blobs, and the global model stands in front of them.
// It only reads, so a process that runs the network is not disturbed.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "actors/global_model/global_model.hpp"
#include "actors/localnet/world.hpp"
#include "actors/scorer/scorer_worker.hpp"
#include "messages/values/genesis.hpp"

namespace soma::localnet {

class stored_network {
 public:
  /// `directory` holds the folders `ledger` and `blobs` of a local network. Throws lmdb::failure or
  /// blobs::blob_failure when they can't be read.
  stored_network(const std::filesystem::path& directory, unsigned threads,
                 const scorer::worker_engines& new_engines);

  [[nodiscard]] std::size_t models() const { return models_; }
  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  /// `on_byte` gets every byte of the answer as soon as it is chosen. What it throws ends the
  /// question and comes out of ask(); the network can't be asked again after that.
  [[nodiscard]] message<schema::Answer> ask(
      const message<schema::Ask>& question,
      const std::function<void(std::uint8_t)>& on_byte = [](std::uint8_t) {});
  [[nodiscard]] message<schema::Evaluation> evaluate(const message<schema::Evaluate>& question);

 private:
  soma::genesis genesis_;
  std::size_t models_ = 0;
  world world_;
  global_model::global_model_actor oracle_;
  std::function<void(std::uint8_t)> on_byte_;  // of the question that is being answered
};

}  // namespace soma::localnet
