// The speed limit that benchmarks are held against: the matrix library's own product.
#pragma once

#include <cstddef>

namespace soma::model {

/// Seconds of one C[m][n] = A[m][k] * B[k][n] in binary32 by the linked BLAS, on preallocated
/// matrices, warm, the best of `repeats` (at least 1). Uses the threads of configure_threads. The
/// work is 2 * m * n * k operations. Throws std::bad_alloc or std::runtime_error when the machine
/// fails.
[[nodiscard]] double sgemm_seconds(std::size_t m, std::size_t n, std::size_t k, unsigned repeats);

}  // namespace soma::model
