// Draws targets. The result depends only on the seeds and on the models at one registry version.
// The points are the seeded normals of exact arithmetic §6, and the distances come from the router.
#pragma once

#include "actors/router/router_actor.hpp"
#include "actors/target_generator/target_generator_actor.hpp"

namespace soma::target_generator {

struct target_generator_ports {
  router::router_actor router;
};

/// The most targets that one request may draw.
inline constexpr unsigned max_draws = 1'024;

target_generator_actor::behavior_type target_generator(target_generator_actor::pointer self,
                                                       target_generator_ports ports);

}  // namespace soma::target_generator
