// Sets how many threads one operation of libtorch may use, for the whole process. The reference
// engine gives the same bits twice only with the same number of threads.
#pragma once

namespace soma::reference {

/// `threads` is at least 1. It must be called before the work begins. Without this call every
/// operation runs on the thread that calls it.
void configure_threads(int threads);

/// Configures one thread unless configure_threads was called before. Engines and trainers of this
/// folder call it themselves.
void configure_threads_by_default();

}  // namespace soma::reference
