#include "model/exact/kernels.hpp"

#include "messages/values/assert.hpp"
#include "model/exact/elementary_table.hpp"

namespace soma::exact {

const kernel_table& kernels_for(simd::isa set) {
  switch (set) {
#if defined(__x86_64__)
    case simd::isa::scalar:
      return kernels_scalar;
    case simd::isa::avx2:
      return kernels_avx2;
    case simd::isa::avx512:
      return kernels_avx512;
#elif defined(__aarch64__)
    case simd::isa::scalar:
      return kernels_scalar;
    case simd::isa::neon:
      return kernels_neon;
#endif
    default:
      SOMA_ASSERT(set == simd::isa::portable, "kernels exist for the sets of this processor");
      return kernels_portable;
  }
}

const elementary_table& elementary_for(simd::isa set) {
  return *kernels_for(set).elementary;
}

}  // namespace soma::exact
