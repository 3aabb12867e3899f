// The interface of the global model: the mixture of the nearest models, which continues a text or
// evaluates one, and names the share of each model in the answer.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::global_model {

using global_model_actor =
    caf::typed_actor<caf::replies_to<message<schema::Ask>>::with<message<schema::Answer>>,
                     caf::replies_to<message<schema::Evaluate>>::with<message<schema::Evaluation>>>;

}  // namespace soma::global_model
