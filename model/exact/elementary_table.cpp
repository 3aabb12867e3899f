#include "model/exact/elementary_table.hpp"

#include "messages/types/assert.hpp"

namespace soma::exact {

const elementary_table& elementary_for(isa set) {
  switch (set) {
#if defined(__x86_64__)
    case isa::scalar:
      return elementary_scalar;
    case isa::avx2:
      return elementary_avx2;
    case isa::avx512:
      return elementary_avx512;
#elif defined(__aarch64__)
    case isa::scalar:
      return elementary_scalar;
    case isa::neon:
      return elementary_neon;
#endif
    default:
      SOMA_ASSERT(set == isa::portable, "functions exist for the sets of this processor");
      return elementary_portable;
  }
}

}  // namespace soma::exact
