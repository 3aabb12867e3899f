// Finds the models for a point of a target, and for a piece of text.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::router {

using router_actor = caf::typed_actor<
    caf::replies_to<message<schema::AssignRequest>>::with<message<schema::Assignment>>,
    caf::replies_to<message<schema::RouteQuery>>::with<message<schema::Route>>>;

}  // namespace soma::router
