// Every kernel for one instruction set. model/exact/CMakeLists.txt gives this file its flags.
#include "model/exact/sets/elementary_body.hpp"
#include "model/exact/sets/kernels_body.hpp"

namespace soma::exact {
namespace {
constexpr elementary_table functions = make_elementary<isa_portable>(isa::portable);
}

constinit const kernel_table kernels_portable =
    make_kernels<isa_portable>(isa::portable, functions);

}  // namespace soma::exact
