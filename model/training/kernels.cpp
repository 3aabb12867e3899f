#include "model/training/kernels.hpp"

namespace soma::training {

const kernel_set* runnable_kernels(std::size_t which) {
#if defined(__x86_64__)
  switch (which) {
    case 0:
      return &kernels_portable;
    case 1:
      return __builtin_cpu_supports("x86-64-v3") ? &kernels_v3 : nullptr;
    case 2:
      return __builtin_cpu_supports("x86-64-v4") ? &kernels_v4 : nullptr;
    default:
      return nullptr;
  }
#else
  return which == 0 ? &kernels_portable : nullptr;
#endif
}

const kernel_set& kernels() {
  static const kernel_set& best = []() -> const kernel_set& {
    std::size_t which = 0;
    while (runnable_kernels(which + 1) != nullptr) ++which;
    return *runnable_kernels(which);
  }();
  return best;
}

const matmul_kernels* bf16_products() {
#if defined(__x86_64__)
  static const bool able =
      __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16");
  return able ? &products_bf16 : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace soma::training
