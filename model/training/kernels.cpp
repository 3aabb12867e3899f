#include "model/training/kernels.hpp"

namespace soma::training {

const kernel_set& kernels_for(simd::isa set) {
  switch (set) {
#if defined(__x86_64__)
    case simd::isa::avx2:
      return kernels_avx2;
    case simd::isa::avx512:
      return kernels_avx512;
#endif
    default:
      return kernels_portable;
  }
}

const kernel_set& kernels() {
  static const kernel_set& chosen = kernels_for(simd::chosen_isa());
  return chosen;
}

const matmul_kernels* bf16_products() {
#if defined(__x86_64__)
  static const bool able =
      simd::chosen_isa() == simd::isa::avx512 && __builtin_cpu_supports("avx512bf16");
  return able ? &products_bf16 : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace soma::training
