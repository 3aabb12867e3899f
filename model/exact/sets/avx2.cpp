// Every kernel for one instruction set. model/exact/CMakeLists.txt gives this file its flags.
#include "model/exact/sets/elementary_body.hpp"
#include "model/exact/sets/kernels_body.hpp"

namespace soma::exact {
namespace {
constexpr elementary_table functions = make_elementary<simd::isa_avx2>(simd::isa::avx2);
}

constinit const kernel_table kernels_avx2 =
    make_kernels<simd::isa_avx2>(simd::isa::avx2, functions);

}  // namespace soma::exact
