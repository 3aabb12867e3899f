// The router has an index of model embeddings. It answers with exact distances for targets and with
// the nearest experts for a text.
#pragma once

#include "actors/model_registry/model_index.hpp"
#include "actors/router/router_actor.hpp"

namespace soma::router {

struct router_state {
  model_registry::model_index models;
};

/// The largest Assignment. It holds a distance for every pair of a point and a model, since the
/// choice of models depends on the mean and the spread of all distances. With these bounds it stays
/// below the 1 GiB of a message, and so do the drawn targets, which repeat it. They allow, for
/// example, 1,024 points and 195,000 models.
inline constexpr std::size_t max_assigned_distances = 200'000'000;
inline constexpr std::size_t max_assigned_models = 2'000'000;

router_actor::behavior_type router(router_actor::stateful_pointer<router_state> self);

}  // namespace soma::router
