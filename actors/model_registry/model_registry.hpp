// The model registry answers questions about models: manifests, keys and embeddings of every
// version that has been active.
#pragma once

#include "actors/model_registry/model_index.hpp"
#include "actors/model_registry/model_registry_actor.hpp"

namespace soma::model_registry {

struct model_registry_state {
  model_index models;
};

model_registry_actor::behavior_type model_registry(
    model_registry_actor::stateful_pointer<model_registry_state> self);

}  // namespace soma::model_registry
