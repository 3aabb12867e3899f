// Improves one model and publishes it by commit and reveal.
#pragma once

#include "actors/link/actor_interface.hpp"

namespace soma::actors {

using trainer_actor = caf::typed_actor<
    caf::replies_to<message<schema::Train>>::with<message<schema::TrainerStatus>>,
    caf::replies_to<message<schema::GetStatus>>::with<message<schema::TrainerStatus>>>;

}  // namespace soma::actors
