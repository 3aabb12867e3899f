// Restarts the roles of a process after failures with growing pauses, reports on them, and stops
// them when the process ends.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::supervisor {

using supervisor_actor =
    caf::typed_actor<caf::replies_to<message<schema::GetHealth>>::with<message<schema::Health>>>;

}  // namespace soma::supervisor
