#include "actors/localnet/stored_network.hpp"

#include <exception>
#include <stdexcept>

#include "actors/blob_store/blob_store_role.hpp"
#include "actors/execution/ledger_reader.hpp"
#include "actors/model_registry/model_registry.hpp"
#include "actors/router/router.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "actors/validator/registry_delta.hpp"
#include "messages/codec/codec.hpp"

namespace soma::localnet {

stored_network::stored_network(const std::filesystem::path& directory, unsigned threads,
                               const scorer::worker_engines& new_engines)
    : world_(threads, 0) {
  tables::ledger_options only_read;
  only_read.read_only = true;
  const tables::ledger_store ledger(directory / "ledger", only_read);
  const auto genesis = ledger.genesis() ? decode<soma::genesis>(*ledger.genesis())
                                        : expected<soma::genesis, parse_refusal>{};
  if (!ledger.genesis() || !genesis) throw std::runtime_error("the ledger holds no network");
  genesis_ = *genesis;
  const auto snapshot = validator::registry_snapshot(execution::ledger_reader(ledger), {},
                                                     ledger.chain()->registry_version);
  models_ = snapshot.root().getActivated().size();

  blobs::blob_options reading;
  reading.read_only = true;
  auto& system = world_.system();
  const auto blobs = system.spawn(blob_store::blob_store_role,
                                  blob_store::blob_store_ports{std::make_shared<blobs::blob_store>(
                                      directory / "blobs", reading)});
  const auto registry = system.spawn(model_registry::model_registry);
  const auto paths = system.spawn(router::router);
  caf::anon_send(registry, snapshot);
  caf::anon_send(paths, message<schema::AssignRequest>::build(
                            [&](auto out) { out.setDelta(snapshot.root()); }));
  std::vector<scorer::scorer_worker_actor> workers;
  for (unsigned i = 0; i < threads; ++i) {
    scorer::scorer_worker_ports ports{blobs, world_.new_background(), new_engines()};
    workers.push_back(system.spawn(scorer::scorer_worker, ports));
  }
  const auto scorer = system.spawn(scorer::scorer_pool, workers, scorer::scorer_pool_limits{});
  oracle_ = system.spawn(global_model::global_model,
                         global_model::global_model_ports{
                             registry, paths, scorer, genesis_.parameters.architecture.max_seq,
                             [this](std::uint8_t byte) { on_byte_(byte); }});
}

message<schema::Answer> stored_network::ask(const message<schema::Ask>& question,
                                            const std::function<void(std::uint8_t)>& on_byte) {
  std::exception_ptr thrown;
  on_byte_ = [&](std::uint8_t byte) {
    try {
      on_byte(byte);
    } catch (...) {
      thrown = std::current_exception();
      throw;  // it ends the global model, and so the question
    }
  };
  try {
    return world_.ask<schema::Answer>(oracle_, question);
  } catch (...) {
    if (thrown) std::rethrow_exception(thrown);
    throw;
  }
}

message<schema::Evaluation> stored_network::evaluate(const message<schema::Evaluate>& question) {
  return world_.ask<schema::Evaluation>(oracle_, question);
}

}  // namespace soma::localnet
