// The production form of background_actor: spawned detached, it runs each job on its own thread, in
// order of arrival.
#pragma once

#include "actors/background/background_actor.hpp"

namespace soma::background {

/// Spawn with caf::detached. A job that throws is answered with caf::sec::runtime_error and the
/// exception's text.
background_actor::behavior_type background(background_actor::pointer self);

}  // namespace soma::background
