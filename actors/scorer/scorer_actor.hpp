// Scores models on data. The pool and its workers speak the same language: a pool can stand where a
// worker is expected.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::scorer {

/// A worker: one piece of work at a time. Work it cannot do is answered with a refusal, never with
/// silence.
using scorer_worker_actor = caf::typed_actor<
    caf::replies_to<message<schema::ScoreRequest>>::with<message<schema::ScoreReport>>,
    caf::replies_to<message<schema::CheckModel>>::with<message<schema::ModelCheck>>,
    caf::replies_to<message<schema::PredictRequest>>::with<message<schema::PredictReport>>>;

/// The pool: queues work for its workers, gives the work of one that died to another, takes workers
/// that join.
using scorer_actor = scorer_worker_actor::extend<
    caf::replies_to<message<schema::JoinPool>>::with<message<schema::Ack>>,
    caf::replies_to<message<schema::GetPoolStatus>>::with<message<schema::PoolStatus>>>;

}  // namespace soma::scorer
