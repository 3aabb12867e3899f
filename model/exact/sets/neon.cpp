// Every kernel for one instruction set; see model/exact/CMakeLists.txt for its flags.
#include "model/exact/elementary_body.hpp"
#include "model/exact/kernels_body.hpp"

namespace soma::exact {

const kernel_table kernels_neon = make_kernels<isa_neon>(isa::neon);
constinit const elementary_table elementary_neon = make_elementary<isa_neon>(isa::neon);

}  // namespace soma::exact
