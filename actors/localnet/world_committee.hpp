// All validators of a network in one world, each with its own ledger, record of votes and roles,
// over a simulated network. Alone it has no network.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "actors/localnet/peer_network.hpp"
#include "actors/localnet/world.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"
#include "actors/validator/validator.hpp"
#include "messages/values/genesis.hpp"

namespace soma::localnet {

struct committee_plan {
  std::filesystem::path directory;  // "ledger" and "votes" of the first, "ledger-2" ... of others
  std::vector<crypto::key_pair> keys;  // each validator's; all or some of the genesis' validators
  soma::genesis genesis;
  validator::validator_options pace;
  std::uint64_t seed = 0;        // of the network
  bool keeps_snapshots = false;  // "snapshots", "snapshots-2", ...
  std::size_t ledger_map_bytes = std::size_t{1} << 30;
  std::function<scorer::scorer_actor(std::size_t number)> new_scorer;
  std::function<std::vector<validator::block_watcher_actor>(std::size_t number)>
      new_watchers;                                                                  // may be none
  std::function<void(std::size_t number, const std::string& line)> notify_operator;  // may be none
};

class world_committee {
 public:
  struct member {
    std::shared_ptr<tables::ledger_store> ledger;  // none: crashed
    model_registry::model_registry_actor registry;
    router::router_actor router;
    target_generator::target_generator_actor generator;
    scorer::scorer_actor scorer;
    validator::validator_actor validator;
  };

  /// The world outlives it. A reason when a ledger there is of another network.
  [[nodiscard]] static expected<std::unique_ptr<world_committee>, std::string> begin(
      world& where, committee_plan plan);
  ~world_committee();

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] const member& at(std::size_t number) const { return members_[number]; }
  [[nodiscard]] peer_network& network() { return *network_; }
  [[nodiscard]] std::filesystem::path votes_of(std::size_t number) const;
  [[nodiscard]] std::filesystem::path snapshots_of(std::size_t number) const;

  /// The process is gone, with all that was not durable. At a quiet moment of the world.
  void crash(std::size_t number);
  expected<void, std::string> restart(std::size_t number);

  /// The lowest and the highest of the ledgers that are open.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> heights() const;
  /// Whether all open ledgers hold the same blocks as far as they go.
  [[nodiscard]] bool agree() const;

 private:
  world_committee(world& where, committee_plan plan) : world_(where), plan_(std::move(plan)) {}
  [[nodiscard]] std::filesystem::path folder(const char* what, std::size_t number) const;

  world& world_;
  committee_plan plan_;
  std::unique_ptr<peer_network> network_;  // none of one alone
  std::vector<member> members_;
};

}  // namespace soma::localnet
