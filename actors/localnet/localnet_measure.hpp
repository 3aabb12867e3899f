// Measures a local network after it has run: every model on every source, and the mixture of all
// models.
#pragma once

#include <string>

#include "actors/localnet/localnet.hpp"
#include "actors/localnet/world.hpp"
#include "actors/model_registry/model_registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"

namespace soma::localnet {

struct network_under_test {
  world& where;
  model_registry::model_registry_actor registry;
  router::router_actor router;
  scorer::scorer_actor scorer;
};

/// Adds each model's bits per byte on `text`, which is of `source`, to its row of the report.
/// Throws std::runtime_error when the scorer refuses.
void measure_models(const network_under_test& network, const std::string& source, byte_view text,
                    localnet_report& out);

/// Measures the mixture of all models of the report on `text`, and each model alone. Throws
/// std::runtime_error when the scorer refuses.
void measure_mixture(const network_under_test& network, std::uint32_t max_seq, byte_view text,
                     localnet_report& out);

}  // namespace soma::localnet
