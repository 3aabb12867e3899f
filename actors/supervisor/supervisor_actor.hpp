// The children of a process: restarts them with back-off, reports on them, drains them on shutdown.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::supervisor {

using supervisor_actor =
    caf::typed_actor<caf::replies_to<message<schema::GetHealth>>::with<message<schema::Health>>>;

}  // namespace soma::supervisor
