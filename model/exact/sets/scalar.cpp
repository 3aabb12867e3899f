// Every kernel for one instruction set; see model/exact/CMakeLists.txt for its flags.
#include "model/exact/elementary_body.hpp"
#include "model/exact/kernels_body.hpp"

namespace soma::exact {
namespace {
constexpr elementary_table functions = make_elementary<isa_scalar>(isa::scalar);
}

constinit const kernel_table kernels_scalar = make_kernels<isa_scalar>(isa::scalar, functions);

}  // namespace soma::exact
