// The roles of a node: which ones it runs itself, which ones it uses on other machines, which ones
// it publishes, and which of them know each other.
#pragma once

#include <memory>
#include <mutex>

#include "actors/blob_keeper/blob_keeper_actor.hpp"
#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "actors/scorer/scorer_worker.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "actors/target_generator/target_generator_actor.hpp"
#include "actors/validator/peers_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "actors/validator/vote_memory.hpp"
#include "deploy/soma/node/supervised_process.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/source/folder_lock.hpp"
#include "deploy/soma/source/node_config.hpp"
#include "messages/crypto/ed25519.hpp"
#include "storage/blobs/blob_store.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {

/// A role that listens at an address for other processes. Its address is called its door.
struct published_role {
  std::string name;
  mesh::host_port at;
  caf::strong_actor_ptr role;  // null where CAF does not listen: for the mesh and the gateway
  std::string address = {};    // of the gateway, as people give it to --join
};

/// Makes the home if it is missing, and takes the lock that keeps every other node out of it. The
/// lock must live longer than everything that uses the home: take it before the process's actors
/// exist. nullopt for a node that keeps nothing on the disk, and so needs no home.
[[nodiscard]] expected<std::optional<folder_lock>, failure> lock_home(const node_config& config);

class node {
 public:
  /// Opens the stores on the disk and checks the genesis and the key. The home must be locked, and
  /// `process` must live longer than the node.
  [[nodiscard]] static expected<std::unique_ptr<node>, failure> open(node_config config,
                                                                     supervised_process& process);

  /// Connects to the roles of other machines, and spawns and publishes the roles of this one, and
  /// adds them to `all`. The supervisor calls it at the beginning and again after a failure.
  [[nodiscard]] expected<void, supervisor::role_failure> start(
      std::vector<supervisor::supervised>& all);
  /// Ends the publication of all roles.
  void close_doors();

  /// Where each published role listens, once start() has published it; and the mesh, if there is
  /// one.
  [[nodiscard]] std::vector<published_role> doors() const;
  /// Lines for the operator that say what is kept on the disk after a stop.
  [[nodiscard]] std::vector<std::string> kept() const;

 private:
  struct handles {
    blob_store::blob_store_actor blobs;
    model_registry::model_registry_actor registry;
    router::router_actor router;
    target_generator::target_generator_actor generator;
    scorer::scorer_actor scorer;
    validator::validator_actor validator;
    validator::peers_actor peers;           // absent without a mesh
    blob_keeper::blob_keeper_actor keeper;  // absent without a blob store of this process
    validator::block_watcher_actor watcher;
  };
  using group = std::vector<supervisor::supervised>;

  node(node_config config, supervised_process& process);
  [[nodiscard]] outcome open_stores();
  [[nodiscard]] outcome open_validator();
  [[nodiscard]] outcome open_votes(const soma::genesis& genesis, const public_key& key);
  template <class Handle>
  [[nodiscard]] expected<void, supervisor::role_failure> fetch(std::string_view name, Handle& into,
                                                               group& all);
  [[nodiscard]] expected<void, supervisor::role_failure> fetch_all(handles& h, group& all);
  [[nodiscard]] expected<void, supervisor::role_failure> open_mesh(handles& h, group& all);
  void spawn_all(handles& h, group& all);
  void spawn_scorer(handles& h, group& all);
  void spawn_keeper(handles& h, group& all);
  template <class Handle>
  [[nodiscard]] expected<void, supervisor::role_failure> open_door(std::string_view name,
                                                                   const Handle& role);
  [[nodiscard]] expected<void, supervisor::role_failure> open_doors(const handles& h);
  [[nodiscard]] expected<void, supervisor::role_failure> open_gateway(const handles& h, group& all);

  node_config config_;
  supervised_process& process_;
  std::shared_ptr<blobs::blob_store> blobs_;
  std::shared_ptr<tables::ledger_store> ledger_;
  /// Until the first validator takes it away; see validator_ports.
  std::shared_ptr<std::optional<state_tree::tree>> tree_ =
      std::make_shared<std::optional<state_tree::tree>>();
  std::shared_ptr<validator::vote_memory> votes_;
  std::optional<crypto::key_pair> key_;
  mutable std::mutex mutex_;
  std::vector<published_role> doors_;
};

/// Makes the ports of a scorer's worker, which include a background thread for calls that block.
/// The thread's actor is added to `all`.
[[nodiscard]] scorer::scorer_worker_ports new_worker_ports(
    caf::actor_system& system, const blob_store::blob_store_actor& blobs, const std::string& name,
    std::vector<supervisor::supervised>& all);

}  // namespace soma::cli
