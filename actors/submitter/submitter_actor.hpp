// Finds data for open targets in a source of its own, scores, claims, reveals.
#pragma once

#include "actors/link/actor_interface.hpp"

namespace soma::actors {

using submitter_actor = caf::typed_actor<
    caf::replies_to<message<schema::GetStatus>>::with<message<schema::SubmitterStatus>>>;

}  // namespace soma::actors
