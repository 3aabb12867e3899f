#include "model/torch/kernels.hpp"

namespace soma::model::twin {

const kernel_set& kernels() {
#if defined(__x86_64__)
  static const kernel_set& best = __builtin_cpu_supports("x86-64-v4")   ? kernels_v4
                                  : __builtin_cpu_supports("x86-64-v3") ? kernels_v3
                                                                        : kernels_portable;
  return best;
#else
  return kernels_portable;
#endif
}

const product_set* bf16_products() {
#if defined(__x86_64__)
  static const bool able =
      __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16");
  return able ? &products_bf16 : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace soma::model::twin
