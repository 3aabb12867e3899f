#include "actors/localnet/world_committee.hpp"

#include <algorithm>

#include "actors/model_registry/model_registry.hpp"
#include "actors/router/router.hpp"
#include "actors/target_generator/target_generator.hpp"
#include "messages/signing/signing.hpp"

namespace soma::localnet {
namespace {

/// Nothing is reserved against a full disk and nothing is synced: a world need not outlive a crash
/// of the machine.
votes::voting_record_options record_options() {
  votes::voting_record_options options;
  options.map_bytes = std::size_t{256} << 20;
  options.reserve_bytes = 0;
  options.sync = false;
  return options;
}

}  // namespace

expected<std::unique_ptr<world_committee>, std::string> world_committee::begin(
    world& where, committee_plan plan) {
  std::unique_ptr<world_committee> made(new world_committee(where, std::move(plan)));
  const auto& keys = made->plan_.keys;
  made->members_.resize(keys.size());
  if (keys.size() > 1) {
    std::vector<public_key> names;
    for (const auto& key : keys) names.push_back(key.public_half());
    made->network_ = std::make_unique<peer_network>(where, made->plan_.seed, names);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto votes = made->votes_of(i);
    if (!std::filesystem::exists(votes)) {
      votes::voting_record_store::create(votes, signing::chain_id_of(made->plan_.genesis),
                                         keys[i].public_half(), record_options());
    }
    if (auto begun = made->restart(i); !begun) return make_unexpected(begun.error());
  }
  return made;
}

world_committee::~world_committee() = default;

std::filesystem::path world_committee::folder(const char* what, std::size_t number) const {
  return plan_.directory / (number == 0 ? what : what + ("-" + std::to_string(number + 1)));
}
std::filesystem::path world_committee::votes_of(std::size_t number) const {
  return folder("votes", number);
}
std::filesystem::path world_committee::snapshots_of(std::size_t number) const {
  return folder("snapshots", number);
}

std::function<void(const std::string&)> world_committee::notes_of(std::size_t number) const {
  if (!plan_.notify_operator) return {};
  return [tell = plan_.notify_operator, number](const std::string& line) { tell(number, line); };
}

void world_committee::crash(std::size_t number) {
  auto& m = members_[number];
  if (!m.ledger) return;
  if (network_) network_->disconnect(number);
  for (const auto& role :
       {caf::actor_cast<caf::actor>(m.validator), caf::actor_cast<caf::actor>(m.keeper),
        caf::actor_cast<caf::actor>(m.scorer), caf::actor_cast<caf::actor>(m.generator),
        caf::actor_cast<caf::actor>(m.router), caf::actor_cast<caf::actor>(m.registry)}) {
    if (role) caf::anon_send_exit(role, caf::exit_reason::kill);
  }
  m = {};
  (void)world_.run_until([] { return true; }, [] { return false; }, world_.now_ms());
}

expected<void, std::string> world_committee::restart(std::size_t number) {
  auto& m = members_[number];
  if (m.ledger) return {};
  m.ledger = std::make_shared<tables::ledger_store>(
      folder("ledger", number), tables::ledger_options{plan_.ledger_map_bytes, false, false});
  if (auto opened = validator::open_ledger(*m.ledger, plan_.genesis); !opened)
    return make_unexpected(opened.error());
  auto& system = world_.system();
  m.registry = system.spawn(model_registry::model_registry);
  m.router = system.spawn(router::router);
  m.generator = system.spawn(target_generator::target_generator,
                             target_generator::target_generator_ports{m.router});
  m.scorer = plan_.new_scorer(number);
  const auto& key = plan_.keys[number];
  validator::validator_ports ports;
  ports.clock = world_.clock();
  ports.target_generator = m.generator;
  ports.registry = m.registry;
  ports.scorer = m.scorer;
  if (plan_.new_watchers) ports.watchers = plan_.new_watchers(number);
  ports.ledger = m.ledger;
  ports.votes = std::make_shared<validator::vote_memory>(
      votes_of(number), signing::chain_id_of(plan_.genesis), key.public_half(), record_options());
  if (network_) ports.peers = network_->peers_of(number);
  if (plan_.blobs_of) {
    blob_keeper::blob_keeper_ports keeping;
    keeping.clock = world_.clock();
    keeping.peers = ports.peers;
    keeping.disk = plan_.blobs_of(number);
    keeping.ledger = m.ledger;
    keeping.key = key.public_half();
    keeping.notify_operator = notes_of(number);
    m.keeper = system.spawn(blob_keeper::blob_keeper, keeping, plan_.keeping);
    ports.blobs = m.keeper;
    ports.watchers.push_back(caf::actor_cast<validator::block_watcher_actor>(m.keeper));
  }
  if (plan_.keeps_snapshots) {
    ports.snapshots = snapshots_of(number);
    ports.snapshot_writer = world_.new_background();
  }
  ports.notify_operator = notes_of(number);
  m.validator = system.spawn(validator::validator, key, ports, plan_.pace);
  return {};
}

std::pair<std::uint64_t, std::uint64_t> world_committee::heights() const {
  std::pair<std::uint64_t, std::uint64_t> out{UINT64_MAX, 0};
  for (const auto& m : members_) {
    if (!m.ledger) continue;
    const auto height = m.ledger->chain()->height.value;
    out = {std::min(out.first, height), std::max(out.second, height)};
  }
  return out;
}

bool world_committee::agree() const {
  std::vector<const member*> open;
  for (const auto& m : members_) {
    if (m.ledger) open.push_back(&m);
  }
  const auto [lowest, highest] = heights();
  for (std::uint64_t h = 1; h <= highest; ++h) {
    std::optional<block_id> first;
    for (const auto* m : open) {
      const auto here = m->ledger->block_at({h});
      if (!here) continue;
      const auto id = signing::id_of(here->header);
      if (!first) first = id;
      if (*first != id) return false;
    }
  }
  return true;
}

}  // namespace soma::localnet
