// Scores models on data. A pool understands all messages of a worker, so it can be used wherever a
// worker is expected.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::scorer {

/// A worker does one piece of work at a time. It answers work that it can't do with a refusal; it
/// never leaves work without an answer.
using scorer_worker_actor = caf::typed_actor<
    caf::replies_to<message<schema::ScoreRequest>>::with<message<schema::ScoreReport>>,
    caf::replies_to<message<schema::CheckModel>>::with<message<schema::ModelCheck>>,
    caf::replies_to<message<schema::PredictRequest>>::with<message<schema::PredictReport>>>;

/// The pool queues work for its workers, gives the work of a worker that died to another one, and
/// lets workers join.
using scorer_actor = scorer_worker_actor::extend<
    caf::replies_to<message<schema::JoinPool>>::with<message<schema::Ack>>,
    caf::replies_to<message<schema::GetPoolStatus>>::with<message<schema::PoolStatus>>>;

}  // namespace soma::scorer
