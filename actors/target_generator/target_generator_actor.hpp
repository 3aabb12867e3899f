// The interface of the target generator: for each seed it returns a point and the distance of every
// active model to it.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::target_generator {

using target_generator_actor = caf::typed_actor<
    caf::replies_to<message<schema::DrawTargets>>::with<message<schema::DrawnTargets>>>;

}  // namespace soma::target_generator
