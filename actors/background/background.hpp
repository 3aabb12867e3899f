// The background_actor of production. It is spawned detached and runs the jobs on its own thread,
// in the order in which they arrive.
#pragma once

#include "actors/background/background_actor.hpp"

namespace soma::background {

/// Has to be spawned with caf::detached. A job that throws is answered with caf::sec::runtime_error
/// and the text of the exception.
background_actor::behavior_type background(background_actor::pointer self);

}  // namespace soma::background
