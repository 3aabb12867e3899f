// Draws targets: a pure function of a seed and the registry's version. Points come from the seeded
// normals of exact arithmetic §6, distances from the router.
#pragma once

#include "actors/router/router_actor.hpp"
#include "actors/target_generator/target_generator_actor.hpp"

namespace soma::actors {

struct target_generator_ports {
  router_actor router;
};

/// More targets than this are not drawn in one request.
inline constexpr unsigned max_draws = 1'024;
/// Refusal: the request asks for too many draws or an impossible dimension. (1 is the router's
/// registry_gap.)
inline constexpr std::uint16_t bad_draw = 2;

target_generator_actor::behavior_type target_generator(target_generator_actor::pointer self,
                                                       target_generator_ports ports);

}  // namespace soma::actors
