// How many threads one tensor operation may use, for the whole process. Results of the twin are the
// same bits for the same number; two threads are often slower than one for small models.
#pragma once

namespace soma::model {

/// At least 1. Call before the work begins; without it everything runs on the thread that asks.
void configure_threads(int threads);

/// Makes sure that configure_threads was called once: engines and trainers do this themselves.
void configure_threads_by_default();

}  // namespace soma::model
