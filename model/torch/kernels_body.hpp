// The body of the kernels, compiled once for each instruction set with SOMA_KERNEL_SET naming the
// result.
#include "model/torch/kernels.hpp"

namespace soma::model::twin {
namespace {

#include "model/torch/kernels_vectors.hpp"
// Each of these builds on the ones before.
#include "model/torch/kernels_tiles.hpp"
// Products of tiles,
#include "model/torch/kernels_product.hpp"
using factors = float_factors;
// and attention of them.
#include "model/torch/kernels_attention.hpp"
// These need vectors only.
#include "model/torch/kernels_rows.hpp"

#undef SOMA_INLINE

}  // namespace

const kernel_set SOMA_KERNEL_SET = {{packed_size, pack, multiply, multiply_scratch, multiply_across,
                                     across_room, attention_by_tiles},
                                    layer_norm,
                                    layer_norm_backward,
                                    gelu,
                                    gelu_backward,
                                    add_columns,
                                    cross_entropy,
                                    sigreg,
                                    sum_of_squares,
                                    adamw};

}  // namespace soma::model::twin
