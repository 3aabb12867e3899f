// A whole network in one world (world.hpp). A specialist is trained for each source of data, its
// model is committed and revealed, and submitters compete for epochs with audits, settlement and
// payment. Validators agree on every block. The protocol is the real one, only the network is
// small. The same seed and data end in the same state root.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/scorer/scorer_worker.hpp"
#include "actors/submitter/submitter.hpp"
#include "actors/trainer/trainer.hpp"
#include "messages/values/architecture.hpp"
#include "messages/values/blocks.hpp"
#include "messages/values/genesis.hpp"

namespace soma::localnet {

/// Files of one kind. The last eighth of each file is held out: no model trains on it, and
/// submitters take their data from it.
struct localnet_source {
  std::string name;
  std::vector<bytes> files;
};

struct localnet_counts {
  std::uint64_t opened = 0, filled = 0, revealed = 0, settled = 0, slashed = 0, expired = 0,
                voided = 0;
};

/// What is known while the network runs. It is reported when no actor has anything to do.
struct localnet_progress {
  std::uint64_t epoch = 0, height = 0;
  unsigned models_published = 0;
  localnet_counts targets;
  std::vector<std::pair<std::string, std::uint64_t>> wins;  // by model, in order of the sources
};

struct localnet_options {
  std::filesystem::path directory;  // is made anew and keeps everything
  std::vector<localnet_source> sources;
  model_architecture architecture;
  std::uint64_t seed = 0;
  std::uint64_t epochs = 6;  // models are registered in the first two
  unsigned validators = 1;   // of equal stake, each with all roles and its own ledger
  unsigned submitters = 3;
  unsigned threads = 2;
  bool with_cheats = false;           // adds one submitter for each kind of misconduct
  std::uint64_t epoch_ms = 60'000;    // of virtual time
  std::uint32_t piece_bytes = 2'048;  // of a submission
  std::uint32_t eval_bytes = 16'384;  // of each source, for the closing matrix
  std::uint64_t hits_wanted = 16;     // in an epoch; submitters look for twice as many
  std::uint32_t initial_targets = 6;  // that are open at once

  /// Trains the specialist of the source `number` on `data`; called on several threads at once.
  std::function<trainer::trained_model(std::size_t number, const std::vector<bytes>& data,
                                       std::uint64_t seed)>
      train;
  scorer::worker_engines new_engines;
  std::function<void(const localnet_progress&)> on_progress;
  std::function<bool()> interrupted;

  /// Unix time at which the network begins; without it, that of every local network.
  std::optional<std::uint64_t> start_ms;
  bool with_faucet = false;  // adds an account whose money a gateway gives away
};

struct localnet_model {
  model_id id;
  std::string name;
  address owner;
  std::vector<std::pair<std::string, double>> bits_per_byte;  // by source
  std::uint64_t wins = 0;
  shannons paid;
};

struct localnet_account {
  std::string name;
  std::string conduct;  // "honest", or what it does wrong
  address id;
  std::uint64_t scored = 0, claimed = 0, won = 0;
  shannons paid, bonds_lost, balance;
  std::uint64_t height = 0;  // of the ledger, for a validator
};

struct localnet_mixture {
  std::uint64_t bytes = 0;
  double bits_per_byte = 0;
  struct expert {
    std::string name;
    double bits_per_byte = 0, share = 0;
  };
  std::vector<expert> experts;
};

struct localnet_report {
  std::uint64_t seed = 0, epochs = 0, height = 0;
  soma::state_root state_root;
  bool supply_ok = false;         // the supply was counted from the rows
  bool validators_agree = false;  // the shorter ledgers are beginnings of the longest one
  bool interrupted = false;
  localnet_counts targets;
  std::vector<localnet_model> models;
  std::vector<localnet_account> submitters;
  std::vector<localnet_account> validators;
  localnet_mixture mixture;
};

/// The genesis with which run_localnet() begins.
[[nodiscard]] soma::genesis genesis_of(const localnet_options& options);

/// Runs the network. Returns the report, or one sentence that says why the network could not run.
[[nodiscard]] expected<localnet_report, std::string> run_localnet(const localnet_options& options);

/// Joins pieces of all texts in turn up to `total_bytes`. The lengths of the pieces are drawn from
/// `seed`, between 400 and 1,200 bytes.
[[nodiscard]] bytes interleave(const std::vector<bytes>& texts, std::size_t total_bytes,
                               std::uint64_t seed);

}  // namespace soma::localnet
