// The body of the kernels, compiled once for each instruction set with SOMA_KERNEL_SET naming the
// result.
#include "model/torch/kernels.hpp"

namespace soma::model::twin {
namespace {

#include "model/torch/kernels_vectors.hpp"
// The parts build on each other in this order.
#include "model/torch/kernels_product.hpp"
// (attention: tiles; rows: vectors)
#include "model/torch/kernels_attention.hpp"
#include "model/torch/kernels_rows.hpp"

#undef SOMA_INLINE

}  // namespace

const kernel_set SOMA_KERNEL_SET = {float_products,
                                    attention_forward,
                                    attention_backward,
                                    attention_scratch,
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
