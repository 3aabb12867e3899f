// Finds data for open targets in its own source, scores it, claims targets and reveals the data.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::submitter {

using submitter_actor = caf::typed_actor<
    caf::replies_to<message<schema::GetSubmitterStatus>>::with<message<schema::SubmitterStatus>>>;

}  // namespace soma::submitter
