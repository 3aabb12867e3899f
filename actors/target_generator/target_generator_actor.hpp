// Draws targets: seeds in, points and every active model's distance to them out.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::target_generator {

using target_generator_actor = caf::typed_actor<
    caf::replies_to<message<schema::DrawTargets>>::with<message<schema::DrawnTargets>>>;

}  // namespace soma::target_generator
