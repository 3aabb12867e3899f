// Every kernel for one instruction set; see model/exact/CMakeLists.txt for its flags.
#include "model/exact/elementary_body.hpp"
#include "model/exact/kernels_body.hpp"

namespace soma::exact {
namespace {
constexpr elementary_table functions = make_elementary<isa_neon>(isa::neon);
}

constinit const kernel_table kernels_neon = make_kernels<isa_neon>(isa::neon, functions);

}  // namespace soma::exact
