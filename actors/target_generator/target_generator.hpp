// Draws targets: a pure function of a seed and the registry's version. Points come from the seeded
// normals of exact arithmetic §6, distances from the router.
#pragma once

#include "actors/router/router_actor.hpp"
#include "actors/target_generator/target_generator_actor.hpp"

namespace soma::target_generator {

struct target_generator_ports {
  router::router_actor router;
};

/// More targets than this are not drawn in one request.
inline constexpr unsigned max_draws = 1'024;

target_generator_actor::behavior_type target_generator(target_generator_actor::pointer self,
                                                       target_generator_ports ports);

}  // namespace soma::target_generator
