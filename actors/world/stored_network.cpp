#include "actors/world/stored_network.hpp"

#include <stdexcept>

#include "actors/blob_store/blob_store_role.hpp"
#include "actors/model_registry/model_registry.hpp"
#include "actors/router/router.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "actors/validator/ledger_reader.hpp"
#include "actors/validator/registry_delta.hpp"
#include "messages/types/codec.hpp"

namespace soma::actors {

stored_network::stored_network(const std::filesystem::path& directory, unsigned threads,
                               const worker_engines& new_engines)
    : world_(threads, 0) {
  storage::ledger_options only_read;
  only_read.read_only = true;
  const storage::ledger_store ledger(directory / "ledger", only_read);
  const auto born =
      ledger.genesis() ? decode<genesis>(*ledger.genesis()) : expected<genesis, parse_refusal>{};
  if (!ledger.genesis() || !born) throw std::runtime_error("the ledger holds no network");
  born_ = *born;
  const auto snapshot =
      registry_snapshot(ledger_reader(ledger), {}, ledger.chain()->registry_version);
  models_ = snapshot.root().getActivated().size();

  storage::blob_options reading;
  reading.read_only = true;
  auto& system = world_.system();
  const auto blobs = system.spawn(
      blob_store_role,
      blob_store_ports{std::make_shared<storage::blob_store>(directory / "blobs", reading)});
  const auto registry = system.spawn(model_registry);
  const auto paths = system.spawn(router);
  caf::anon_send(registry, snapshot);
  caf::anon_send(paths, message<schema::AssignRequest>::build(
                            [&](auto out) { out.setDelta(snapshot.root()); }));
  std::vector<scorer_worker_actor> workers;
  for (unsigned i = 0; i < threads; ++i) {
    scorer_worker_ports ports{blobs, world_.new_background(), new_engines()};
    workers.push_back(system.spawn(scorer_worker, ports));
  }
  const auto scorer = system.spawn(scorer_pool, workers, scorer_pool_limits{});
  oracle_ = system.spawn(global_model, global_model_ports{registry, paths, scorer,
                                                          born_.parameters.architecture.max_seq});
}

message<schema::Answer> stored_network::ask(const message<schema::Ask>& question) {
  return world_.ask<schema::Answer>(oracle_, question);
}

message<schema::Evaluation> stored_network::evaluate(const message<schema::Evaluate>& question) {
  return world_.ask<schema::Evaluation>(oracle_, question);
}

}  // namespace soma::actors
