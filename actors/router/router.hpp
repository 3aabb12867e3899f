// The router's index of model embeddings and its two answers: exact distances for targets, nearest
// experts for a text.
#pragma once

#include "actors/model_registry/model_index.hpp"
#include "actors/router/router_actor.hpp"

namespace soma::router {

struct router_state {
  model_registry::model_index models;
};

/// An Assignment holds a distance for every pair of point and model, since the choice of models
/// depends on their mean and spread; these bounds keep it, and the drawn targets that repeat it,
/// below the 1 GiB of a message: 1,024 points meet 195,000 models.
inline constexpr std::size_t max_assigned_distances = 200'000'000;
inline constexpr std::size_t max_assigned_models = 2'000'000;

router_actor::behavior_type router(router_actor::stateful_pointer<router_state> self);

}  // namespace soma::router
