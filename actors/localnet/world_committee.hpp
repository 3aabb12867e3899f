// All validators of a network in one world, with a simulated network between them. Each has its own
// ledger, voting record and roles. A single validator has no network.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "actors/blob_keeper/blob_keeper.hpp"
#include "actors/localnet/peer_network.hpp"
#include "actors/localnet/world.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"
#include "actors/validator/validator.hpp"
#include "messages/values/genesis.hpp"

namespace soma::localnet {

struct committee_plan {
  /// The first validator has the folders "ledger" and "votes" in it, the second one "ledger-2" and
  /// "votes-2", and so on.
  std::filesystem::path directory;
  std::vector<crypto::key_pair> keys;  // one a validator: all or some validators of the genesis
  soma::genesis genesis;
  validator::validator_options pace;
  std::uint64_t seed = 0;        // of the network between them
  bool keeps_snapshots = false;  // in "snapshots", "snapshots-2", ...
  std::size_t ledger_map_bytes = std::size_t{1} << 30;
  std::function<scorer::scorer_actor(std::size_t number)> new_scorer;
  // The next three may be left out.
  std::function<std::vector<validator::block_watcher_actor>(std::size_t number)> new_watchers;
  std::function<void(std::size_t number, const std::string& line)> notify_operator;
  /// The blob store that the scorer of this validator reads. With it, the validator exchanges blobs
  /// with the others.
  std::function<std::shared_ptr<blobs::blob_store>(std::size_t number)> blobs_of;
  blob_keeper::blob_keeper_options keeping;
};

class world_committee {
 public:
  struct member {
    std::shared_ptr<tables::ledger_store> ledger;  // null after a crash
    model_registry::model_registry_actor registry;
    router::router_actor router;
    target_generator::target_generator_actor generator;
    scorer::scorer_actor scorer;
    blob_keeper::blob_keeper_actor keeper;  // null without a blob store
    validator::validator_actor validator;
  };

  /// The world outlives the committee. An error when a ledger in the directory belongs to another
  /// network.
  [[nodiscard]] static expected<std::unique_ptr<world_committee>, std::string> begin(
      world& where, committee_plan plan);
  ~world_committee();

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] const member& at(std::size_t number) const { return members_[number]; }
  [[nodiscard]] peer_network& network() { return *network_; }
  [[nodiscard]] std::filesystem::path votes_of(std::size_t number) const;
  [[nodiscard]] std::filesystem::path snapshots_of(std::size_t number) const;

  /// Ends the process of a validator; it loses all that was not durable. Only at a quiet moment.
  void crash(std::size_t number);
  expected<void, std::string> restart(std::size_t number);

  /// The lowest and the highest height of the open ledgers.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> heights() const;
  /// Whether the shorter ones of the open ledgers are beginnings of the longest one.
  [[nodiscard]] bool agree() const;

 private:
  world_committee(world& where, committee_plan plan) : world_(where), plan_(std::move(plan)) {}
  [[nodiscard]] std::function<void(const std::string&)> notes_of(std::size_t number) const;
  [[nodiscard]] std::filesystem::path folder(const char* what, std::size_t number) const;

  world& world_;
  committee_plan plan_;
  std::unique_ptr<peer_network> network_;  // null for a single validator
  std::vector<member> members_;
};

}  // namespace soma::localnet
