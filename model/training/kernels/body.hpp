// The body of the kernels. It is compiled once for each instruction set, with SOMA_ISA_HERE naming
// the vectors and SOMA_KERNEL_SET the result. The parts below have no namespace of their own and
// build on those before them.
#include "model/simd/tile.hpp"
#include "model/training/kernels.hpp"

namespace soma::training {
namespace {

using isa_here = simd::SOMA_ISA_HERE;

#include "model/training/kernels/vectors.hpp"
// The tile of a product is made of vectors.
#include "model/training/kernels/tiles.hpp"
// Products use tiles, and attention uses products.
#include "model/training/kernels/product.hpp"
using factors = float_factors;
#include "model/training/kernels/attention.hpp"
// The other kernels use only vectors.
#include "model/training/kernels/rows.hpp"

#undef SOMA_INLINE

}  // namespace

const kernel_set SOMA_KERNEL_SET = {{packed_size, pack, matmul, matmul_scratch, matmul_transposed,
                                     transposed_scratch, attention_by_tiles},
                                    layer_norm,
                                    layer_norm_backward,
                                    gelu,
                                    gelu_backward,
                                    add_column_sums,
                                    softmax_cross_entropy,
                                    sigreg,
                                    sum_of_squares,
                                    adamw};

}  // namespace soma::training
