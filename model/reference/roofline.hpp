// Measures the speed limit that benchmarks compare with: a matrix product of the linked BLAS.
#pragma once

#include <cstddef>

namespace soma::reference {

/// The seconds that the linked BLAS takes for `repeats` >= 1 products C[m][n] = A[m][k] * B[k][n]
/// in binary32, each of which is 2 * m * n * k operations. The matrices are allocated and touched
/// before. Uses the threads of configure_threads. Throws std::bad_alloc or std::runtime_error when
/// the machine fails.
[[nodiscard]] double sgemm_seconds(std::size_t m, std::size_t n, std::size_t k, unsigned repeats);

}  // namespace soma::reference
