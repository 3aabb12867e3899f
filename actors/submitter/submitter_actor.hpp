// Finds data for open targets in a source of its own, scores, claims, reveals.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::submitter {

using submitter_actor = caf::typed_actor<
    caf::replies_to<message<schema::GetSubmitterStatus>>::with<message<schema::SubmitterStatus>>>;

}  // namespace soma::submitter
