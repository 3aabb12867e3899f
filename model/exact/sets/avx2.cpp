// Every kernel for one instruction set; see model/exact/CMakeLists.txt for its flags.
#include "model/exact/elementary_body.hpp"
#include "model/exact/kernels_body.hpp"

namespace soma::exact {

const kernel_table kernels_avx2 = make_kernels<isa_avx2>(isa::avx2);
constinit const elementary_table elementary_avx2 = make_elementary<isa_avx2>(isa::avx2);

}  // namespace soma::exact
