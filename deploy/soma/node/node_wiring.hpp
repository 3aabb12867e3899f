// The roles of a node: which are spawned, which are fetched from elsewhere, which are published,
// and which of them know each other.
#pragma once

#include <memory>
#include <mutex>

#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "actors/scorer/scorer_worker.hpp"
#include "actors/target_generator/target_generator_actor.hpp"
#include "actors/validator/peers_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "actors/validator/vote_memory.hpp"
#include "deploy/soma/node/supervised_process.hpp"
#include "deploy/soma/source/node_config.hpp"
#include "messages/crypto/ed25519.hpp"
#include "storage/blobs/blob_store.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {

struct published_role {
  std::string name;
  mesh::host_port at;
  caf::strong_actor_ptr role;  // absent for the mesh, which is no role
};

class node {
 public:
  /// Opens what lies on disk and checks the genesis and the key. `process` outlives the node.
  [[nodiscard]] static expected<std::unique_ptr<node>, failure> open(node_config config,
                                                                     supervised_process& process);

  /// Fetches, spawns and publishes all roles, anew each time; for the supervisor.
  [[nodiscard]] expected<std::vector<supervisor::supervised>, supervisor::role_failure> start();
  void close_doors();

  /// Where each published role listens, once started.
  [[nodiscard]] std::vector<published_role> doors() const;
  /// What a stop leaves on disk, for a person.
  [[nodiscard]] std::vector<std::string> kept() const;

 private:
  struct handles {
    blob_store::blob_store_actor blobs;
    model_registry::model_registry_actor registry;
    router::router_actor router;
    target_generator::target_generator_actor generator;
    scorer::scorer_actor scorer;
    validator::validator_actor validator;
    validator::peers_actor peers;  // absent without a mesh
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
  template <class Handle>
  [[nodiscard]] expected<void, supervisor::role_failure> open_door(std::string_view name,
                                                                   const Handle& role);
  [[nodiscard]] expected<void, supervisor::role_failure> open_doors(const handles& h);

  node_config config_;
  supervised_process& process_;
  std::shared_ptr<blobs::blob_store> blobs_;
  std::shared_ptr<tables::ledger_store> ledger_;
  std::shared_ptr<validator::vote_memory> votes_;
  std::optional<crypto::key_pair> key_;
  mutable std::mutex mutex_;
  std::vector<published_role> doors_;
};

/// A worker's thread for what blocks, and the worker's view of the world.
[[nodiscard]] scorer::scorer_worker_ports new_worker_ports(
    caf::actor_system& system, const blob_store::blob_store_actor& blobs, const std::string& name,
    std::vector<supervisor::supervised>& all);

}  // namespace soma::cli
