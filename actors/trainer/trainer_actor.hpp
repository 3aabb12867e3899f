// Improves one model and publishes it with a commitment and a reveal.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::trainer {

using trainer_actor = caf::typed_actor<
    caf::replies_to<message<schema::Train>>::with<message<schema::TrainerStatus>>,
    caf::replies_to<message<schema::GetTrainerStatus>>::with<message<schema::TrainerStatus>>>;

}  // namespace soma::trainer
