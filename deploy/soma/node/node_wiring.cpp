#include "deploy/soma/node/node_wiring.hpp"

#include "actors/background/background.hpp"
#include "actors/blob_keeper/blob_keeper.hpp"
#include "actors/blob_store/blob_store_role.hpp"
#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/model_registry/model_registry.hpp"
#include "actors/peers/mesh_peers.hpp"
#include "actors/router/router.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "actors/target_generator/target_generator.hpp"
#include "actors/validator/validator.hpp"
#include "deploy/soma/commit.hpp"
#include "deploy/soma/genesis/voting_home.hpp"
#include "deploy/soma/node/node_gateway.hpp"
#include "deploy/soma/node/node_state_sync.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/codec/codec.hpp"
#include "messages/crypto/key_file.hpp"
#include "messages/signing/signing.hpp"
#include "model/scoring/exact_engine.hpp"
#include "storage/blobs/failure.hpp"

namespace soma::cli {
namespace {

using supervisor::role_failure;
using supervisor::supervise;

constexpr std::uint64_t max_genesis_file_bytes = 8ULL << 20U;

/// A seed that differs between nodes, so that their random choices differ, and that is the same for
/// a node each time.
std::uint64_t seed_of(const crypto::key_pair& key) {
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < 8; ++i) seed = seed << 8U | key.public_half()[i];
  return seed;
}

unexpected<failure> cannot_use(const std::filesystem::path& home, bool is_in_use,
                               const std::string& why) {
  const auto what = "cannot use the home " + home.string();
  if (is_in_use) {
    return failed(what, "another process uses it",
                  "stop that process first, or choose another home");
  }
  return failed(what, why, "check that its disk works and has free space");
}

}  // namespace

scorer::scorer_worker_ports new_worker_ports(caf::actor_system& system,
                                             const blob_store::blob_store_actor& blobs,
                                             const std::string& name,
                                             std::vector<supervisor::supervised>& all) {
  scorer::scorer_worker_ports ports;
  ports.blobs = blobs;
  ports.background = system.spawn<caf::detached>(background::background);
  ports.make_engine = scoring::exact_engines();
  all.push_back(supervise(name + " background", ports.background));
  return ports;
}

node::node(node_config config, supervised_process& process)
    : config_(std::move(config)), process_(process) {}

expected<std::optional<folder_lock>, failure> lock_home(const node_config& config) {
  if (!config.runs("blob_store") && !config.runs("validator")) return std::optional<folder_lock>{};
  std::error_code error;
  std::filesystem::create_directories(config.home, error);
  if (error) {
    return failed("cannot make the home " + config.home.string(), error.message(),
                  "choose another home");
  }
  auto lock =
      folder_lock::take(config.home / home_lock_name, cannot_use(config.home, true, "").value());
  if (!lock) return make_unexpected(lock.error());
  return std::optional(std::move(*lock));
}

expected<std::unique_ptr<node>, failure> node::open(node_config config,
                                                    supervised_process& process) {
  std::unique_ptr<node> made(new node(std::move(config), process));
  const auto& home = made->config_.home;
  try {
    if (auto opened = made->open_stores(); !opened) return make_unexpected(opened.error());
  } catch (const lmdb::failure& failure) {
    return cannot_use(home, failure.code() == lmdb::failure_code::already_open, failure.what());
  } catch (const blobs::blob_failure& failure) {
    return cannot_use(home, failure.code() == blobs::blob_failure_code::already_open,
                      failure.what());
  }
  return made;
}

outcome node::open_stores() {
  if (config_.runs("blob_store")) {
    blobs::blob_options options;
    options.quota_bytes = config_.blob_quota_bytes;
    blobs_ = std::make_shared<blobs::blob_store>(config_.home / "blobs", options);
  }
  if (!config_.runs("validator")) return {};
  return open_validator();
}

outcome node::open_validator() {
  auto key = crypto::load_key(config_.validator_key, std::nullopt);
  if (!key) {
    return failed("cannot use the key " + config_.validator_key.string(),
                  std::string(crypto::to_text(key.error())),
                  "name a key file without a passphrase, since a node cannot ask for one");
  }
  const auto file = read_named_file(config_.genesis, max_genesis_file_bytes, "the genesis");
  if (!file) return make_unexpected(file.error());
  const auto what = "cannot use the genesis " + config_.genesis.string();
  const auto genesis = decode<soma::genesis>(*file);
  if (!genesis) return failed(what, std::string(to_text(genesis.error())), "make or fetch it anew");
  if (config_.takes_state) {
    auto taken = take_state(config_, *genesis, *key);
    if (!taken) return make_unexpected(taken.error());
    *tree_ = std::move(*taken);
  }
  ledger_ = std::make_shared<tables::ledger_store>(config_.home / "ledger");
  if (auto opened = validator::open_ledger(*ledger_, *genesis); !opened) {
    return failed(what, opened.error(), "name another genesis or another home");
  }
  const bool is_validator =
      ledger_->view().validator(crypto::address_of(key->public_half())).has_value();
  if (!is_validator && !config_.mesh) {
    return failed("cannot use the key " + config_.validator_key.string(),
                  "it belongs to no validator of this network, and without peers there is no node "
                  "to follow",
                  "name a key of a validator in the genesis, or add mesh and peers");
  }
  if (auto opened = open_votes(*genesis, key->public_half()); !opened) return opened;
  if (!is_validator) note_line("the key has no seat in this network: this node follows it");
  key_ = std::move(*key);
  return {};
}

outcome node::open_votes(const soma::genesis& genesis, const public_key& key) {
  const auto chain = signing::chain_id_of(genesis);
  const auto folder =
      config_.votes.empty() ? votes_beside(config_.validator_key, chain) : config_.votes;
  std::error_code ignored;
  const auto seats = ledger::read_committee(execution::ledger_reader(*ledger_)).seats;
  const bool is_alone = seats.size() == 1 && seats[0].consensus_key == key;
  // A validator that is alone may begin a new record by itself: no other validator counts its
  // votes, so it cannot do harm by contradicting itself.
  if (config_.first_start || (is_alone && !std::filesystem::exists(folder, ignored))) {
    if (auto made = make_voting_record(folder, chain, key); !made) return made;
  }
  auto opened = open_voting_record(folder, chain, key);
  if (!opened) return make_unexpected(opened.error());
  votes_ = std::move(*opened);
  if (votes_->found() == consensus::record_state::missing && !is_alone) {
    note_line("the voting record in " + folder.string() + " is missing or damaged" +
              (votes_->damage().empty() ? "" : " (" + votes_->damage() + ")") +
              "; if the key has never voted, start the node with --first-start");
  }
  return {};
}

expected<void, role_failure> node::open_mesh(handles& h, group& all) {
  if (!config_.runs("validator") || !config_.mesh) return {};
  peers::mesh_peers_options options;
  options.listen = *config_.mesh;
  options.peers = config_.peers;
  options.seed = seed_of(*key_);
  options.members = [ledger = ledger_] {
    std::vector<public_key> keys;
    for (const auto& seat : ledger::read_committee(execution::ledger_reader(*ledger)).seats)
      keys.push_back(seat.consensus_key);
    return keys;
  };
  auto made = peers::spawn_mesh_peers(process_.system(), *key_, std::move(options));
  if (!made) {
    return make_unexpected(role_failure{
        "mesh", "cannot listen at " + mesh::to_text(*config_.mesh) + ": " + made.error()});
  }
  config_.mesh->port = made->port;  // so that the others find it at the same port after a restart
  h.peers = made->role;
  h.watcher = made->watcher;
  all.push_back(supervise("mesh", h.peers));
  return {};
}

template <class Handle>
expected<void, role_failure> node::fetch(std::string_view name, Handle& into, group& all) {
  const auto place = config_.roles.find(name);
  if (place == config_.roles.end() || !place->second.at) return {};
  const auto& at = *place->second.at;
  if (stop_requested()) {
    return make_unexpected(role_failure{std::string(name), "a stop was asked for", true});
  }
  auto role = cluster::connect_role<Handle>(process_.system(), at);
  if (!role) {
    return make_unexpected(
        role_failure{std::string(name), mesh::to_text(at) + ": " + role.error(), true});
  }
  into = std::move(*role);
  all.push_back(supervise(std::string(name), into, false));
  return {};
}

expected<void, role_failure> node::fetch_all(handles& h, group& all) {
  auto done = fetch("blob_store", h.blobs, all);
  if (done) done = fetch("model_registry", h.registry, all);
  if (done) done = fetch("router", h.router, all);
  if (done) done = fetch("target_generator", h.generator, all);
  if (done) done = fetch("scorer", h.scorer, all);
  if (done) done = fetch("validator", h.validator, all);
  return done;
}

void node::spawn_scorer(handles& h, group& all) {
  auto& system = process_.system();
  std::vector<scorer::scorer_worker_actor> workers;
  for (unsigned i = 0; i < config_.workers; ++i) {
    const auto name = "scorer worker " + std::to_string(i + 1);
    workers.push_back(
        system.spawn(scorer::scorer_worker, new_worker_ports(system, h.blobs, name, all)));
    all.push_back(supervise(name, workers.back()));
  }
  scorer::scorer_pool_limits limits;
  limits.clock = process_.clock();
  h.scorer = system.spawn(scorer::scorer_pool, workers, limits);
  all.push_back(supervise("scorer", h.scorer));
}

/// A validator whose blob store is in this process exchanges blobs with the other validators. A
/// store on another machine is filled there.
void node::spawn_keeper(handles& h, group& all) {
  if (!blobs_) return;
  blob_keeper::blob_keeper_ports ports;
  ports.clock = process_.clock();
  ports.peers = h.peers;
  ports.disk = blobs_;
  ports.ledger = ledger_;
  ports.key = key_->public_half();
  ports.notify_operator = [this](const std::string& line) { process_.note(line); };
  h.keeper = process_.system().spawn<caf::detached>(blob_keeper::blob_keeper, ports,
                                                    blob_keeper::blob_keeper_options{});
  all.push_back(supervise("blob keeper", h.keeper));
}

/// A role is spawned after all roles that it needs. The roles are stopped in the reverse order.
void node::spawn_all(handles& h, group& all) {
  auto& system = process_.system();
  if (config_.runs("blob_store")) {
    h.blobs = system.spawn<caf::detached>(blob_store::blob_store_role,
                                          blob_store::blob_store_ports{blobs_});
    all.push_back(supervise("blob_store", h.blobs));
  }
  if (config_.runs("model_registry")) {
    h.registry = system.spawn(model_registry::model_registry);
    all.push_back(supervise("model_registry", h.registry));
  }
  if (config_.runs("router")) {
    // Scanning many models takes a while. The router has a thread of its own, so that other roles
    // do not wait for it.
    h.router = system.spawn<caf::detached>(router::router);
    all.push_back(supervise("router", h.router));
  }
  if (config_.runs("target_generator")) {
    h.generator = system.spawn(target_generator::target_generator,
                               target_generator::target_generator_ports{h.router});
    all.push_back(supervise("target_generator", h.generator));
  }
  if (config_.runs("scorer")) spawn_scorer(h, all);
  if (config_.runs("validator")) {
    validator::validator_ports ports;
    ports.clock = process_.clock();
    ports.target_generator = h.generator;
    ports.registry = h.registry;
    ports.scorer = h.scorer;
    ports.ledger = ledger_;
    ports.tree = tree_;
    ports.votes = votes_;
    ports.peers = h.peers;
    if (h.watcher) ports.watchers.push_back(h.watcher);
    spawn_keeper(h, all);
    if (h.keeper) {
      ports.blobs = h.keeper;
      ports.watchers.push_back(caf::actor_cast<validator::block_watcher_actor>(h.keeper));
    }
    if (config_.keeps_snapshots) {
      ports.snapshots = config_.home / "snapshots";
      ports.snapshot_writer = system.spawn<caf::detached>(background::background);
      all.push_back(supervise("snapshot writer", ports.snapshot_writer));
    }
    ports.notify_operator = [this](const std::string& line) { process_.note(line); };
    validator::validator_options options;
    options.block_ms = config_.block_ms;
    options.idle_ms = config_.idle_ms;
    options.view_timeout_ms = config_.view_timeout_ms;
    options.listen_ms = config_.listen_ms;
    options.seed = seed_of(*key_);
    options.build = build_text();
    h.validator = system.spawn<caf::detached>(validator::validator, *key_, ports, options);
    all.push_back(supervise("validator", h.validator));
  }
}

template <class Handle>
expected<void, role_failure> node::open_door(std::string_view name, const Handle& role) {
  const auto place = config_.roles.find(name);
  if (place == config_.roles.end() || !place->second.listen) return {};
  auto& at = *place->second.listen;
  const auto port = cluster::publish_role(role, at);
  if (!port) {
    return make_unexpected(role_failure{
        std::string(name), "cannot listen at " + mesh::to_text(at) + ": " + port.error()});
  }
  at.port = *port;  // so that the role listens at the same port after a restart
  const std::lock_guard lock(mutex_);
  doors_.push_back({std::string(name), at, caf::actor_cast<caf::strong_actor_ptr>(role)});
  return {};
}

expected<void, role_failure> node::open_doors(const handles& h) {
  auto done = open_door("blob_store", h.blobs);
  if (done) done = open_door("model_registry", h.registry);
  if (done) done = open_door("router", h.router);
  if (done) done = open_door("target_generator", h.generator);
  if (done) done = open_door("scorer", h.scorer);
  if (done) done = open_door("validator", h.validator);
  return done;
}

expected<void, role_failure> node::open_gateway(const handles& h, group& all) {
  if (!config_.runs("gateway")) return {};
  auto opened = start_gateway(config_, process_, {{}, h.validator, h.blobs, h.keeper});
  if (!opened) return make_unexpected(opened.error());
  config_.gateway.listen->port = opened->door.at.port;  // the same port after a restart
  all.push_back(supervise("gateway", opened->role));
  const std::lock_guard lock(mutex_);
  doors_.push_back(std::move(opened->door));
  return {};
}

expected<void, role_failure> node::start(group& all) {
  handles h;
  // A disk that was full may have free space again.
  if (ledger_) ledger_->environment().resume_writing();
  // Steps that may fail because of other machines come first, so that no role of this node has to
  // be stopped again when they fail.
  if (auto done = fetch_all(h, all); !done) return done;
  if (auto done = open_mesh(h, all); !done) return done;
  spawn_all(h, all);
  if (auto done = open_doors(h); !done) return done;
  return open_gateway(h, all);
}

void node::close_doors() {
  std::vector<published_role> open;
  {
    const std::lock_guard lock(mutex_);
    open.swap(doors_);
  }
  for (const auto& door : open) {
    if (door.role) cluster::unpublish_role(process_.system(), door.role, door.at.port);
  }
}

std::vector<published_role> node::doors() const {
  const std::lock_guard lock(mutex_);
  auto all = doors_;
  if (config_.mesh) all.push_back({"mesh", *config_.mesh, nullptr});
  return all;
}

std::vector<std::string> node::kept() const {
  std::vector<std::string> lines;
  if (ledger_) {
    lines.push_back("kept: the ledger up to height " +
                    std::to_string(ledger_->chain()->height.value) + " in " +
                    (config_.home / "ledger").string());
  }
  if (blobs_) {
    lines.push_back("kept: " + to_text(byte_count{blobs_->used_bytes()}) + " of blobs in " +
                    (config_.home / "blobs").string());
  }
  return lines;
}

}  // namespace soma::cli
