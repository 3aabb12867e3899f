#include "model/exact/kernels.hpp"

#include "messages/values/assert.hpp"
#include "model/exact/elementary_table.hpp"

namespace soma::exact {

const kernel_table& kernels_for(isa set) {
  switch (set) {
#if defined(__x86_64__)
    case isa::scalar:
      return kernels_scalar;
    case isa::avx2:
      return kernels_avx2;
    case isa::avx512:
      return kernels_avx512;
#elif defined(__aarch64__)
    case isa::scalar:
      return kernels_scalar;
    case isa::neon:
      return kernels_neon;
#endif
    default:
      SOMA_ASSERT(set == isa::portable, "kernels exist for the sets of this processor");
      return kernels_portable;
  }
}

const elementary_table& elementary_for(isa set) {
  return *kernels_for(set).elementary;
}

}  // namespace soma::exact
