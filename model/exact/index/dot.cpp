#include "model/exact/index/dot.hpp"

namespace soma::exact {
namespace {

// A fold cannot be split over k, so the speed comes from several folds side by side: `Rows`
// independent accumulators hide the latency of fma. The function is written once and compiled
// twice; fma is correctly rounded in hardware and in software alike.
template <int Rows>
[[gnu::always_inline]] inline void fold_rows(const float* const* rows, const float* point,
                                             std::size_t size, float* dots, float* squares) {
  float product[Rows] = {};
  float square[Rows] = {};
  for (std::size_t k = 0; k < size; ++k) {
    for (int r = 0; r < Rows; ++r) {
      product[r] = __builtin_fmaf(rows[r][k], point[k], product[r]);
      square[r] = __builtin_fmaf(rows[r][k], rows[r][k], square[r]);
    }
  }
  for (int r = 0; r < Rows; ++r) {
    dots[r] = product[r];
    squares[r] = square[r];
  }
}

void fold_portable(const float* const* rows, std::size_t count, const float* point,
                   std::size_t size, float* dots, float* squares) {
  for (std::size_t r = 0; r < count; ++r)
    fold_rows<1>(rows + r, point, size, dots + r, squares + r);
}

#if defined(__x86_64__)
[[gnu::target("fma")]] void fold_hardware(const float* const* rows, std::size_t count,
                                          const float* point, std::size_t size, float* dots,
                                          float* squares) {
  std::size_t r = 0;
  for (; r + 4 <= count; r += 4) fold_rows<4>(rows + r, point, size, dots + r, squares + r);
  for (; r < count; ++r) fold_rows<1>(rows + r, point, size, dots + r, squares + r);
}
#endif

}  // namespace

void dot_rows(const float* const* rows, std::size_t count, const float* point, std::size_t size,
              float* dots, float* squares) {
#if defined(__x86_64__)
  static const bool has_fma = __builtin_cpu_supports("fma");
  if (has_fma) return fold_hardware(rows, count, point, size, dots, squares);
#endif
  fold_portable(rows, count, point, size, dots, squares);
}

float dot(const float* a, const float* b, std::size_t size) {
  float product = 0;
  float square = 0;
  dot_rows(&a, 1, b, size, &product, &square);
  return product;
}

}  // namespace soma::exact
