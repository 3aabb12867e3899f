// Draws targets: seeds in, points and every active model's distance to them out.
#pragma once

#include "actors/link/actor_interface.hpp"

namespace soma::actors {

using target_generator_actor = caf::typed_actor<
    caf::replies_to<message<schema::DrawTargets>>::with<message<schema::DrawnTargets>>>;

}  // namespace soma::actors
