// The interface of the model registry. It knows the models as of the ledger's latest delta: their
// versions, where their weights are and how to decrypt them.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::model_registry {

using model_registry_actor =
    caf::typed_actor<caf::reacts_to<message<schema::RegistryDelta>>,
                     caf::replies_to<message<schema::GetModels>>::with<message<schema::Models>>>;

}  // namespace soma::model_registry
