// The router's index of model embeddings and its two answers: exact distances for targets, nearest
// experts for a text.
#pragma once

#include "actors/model_registry/model_index.hpp"
#include "actors/router/router_actor.hpp"

namespace soma::actors {

struct router_state {
  model_index models;
};

/// Refusals of an Assignment.
inline constexpr std::uint16_t registry_gap = 1;

router_actor::behavior_type router(router_actor::stateful_pointer<router_state> self);

}  // namespace soma::actors
