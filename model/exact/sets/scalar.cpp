// Every kernel for one instruction set; see model/exact/CMakeLists.txt for its flags.
#include "model/exact/elementary_body.hpp"
#include "model/exact/kernels_body.hpp"

namespace soma::exact {

const kernel_table kernels_scalar = make_kernels<isa_scalar>(isa::scalar);
constinit const elementary_table elementary_scalar = make_elementary<isa_scalar>(isa::scalar);

}  // namespace soma::exact
