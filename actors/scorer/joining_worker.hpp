// A worker that joins a pool in another process and tells the pool every few seconds that it is
// still there. It ends when the pool refuses it, ends, or does not answer. Then its process
// connects to the pool again and spawns another worker.
#pragma once

#include "actors/clock/clock_actor.hpp"
#include "actors/scorer/scorer_worker.hpp"

namespace soma::scorer {

struct pool_membership {
  scorer_actor pool;
  clock::clock_actor clock;
  std::string name;  // 1 .. 64 bytes
  std::uint32_t say_every_ms = 3'000;
};

/// The worker ends when the pool leaves a message without an answer for so long.
inline constexpr std::uint32_t pool_patience_ms = 60'000;

scorer_worker_actor::behavior_type joining_worker(
    scorer_worker_actor::stateful_pointer<scorer_worker_state> self, scorer_worker_ports ports,
    pool_membership membership);

}  // namespace soma::scorer
