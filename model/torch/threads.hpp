// How many threads one tensor operation may use, for the whole process. Scores of the twin are the
// same bits for the same number; a trained model's bits do not depend on it.
#pragma once

namespace soma::model {

/// At least 1. Call before the work begins; without it everything runs on the thread that asks.
void configure_threads(int threads);

/// Makes sure that configure_threads was called once: engines and trainers do this themselves.
void configure_threads_by_default();

/// How many that are: 1 before any of the two was called.
[[nodiscard]] int configured_threads();

}  // namespace soma::model
