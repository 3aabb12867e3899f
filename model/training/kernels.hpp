// The inner loops of training: matrix products, causal attention that never holds the matrix of
// scores in memory, layer norm, GELU, softmax with cross-entropy, SIGReg and AdamW, each with its
// gradient. The kernels take plain pointers and start no threads; the caller cuts the work into
// jobs. One body is compiled for several instruction sets. The compiler may contract fma, so the
// bits differ between machines. On one machine they do not depend on how the work was cut.
//
// Letters: S tokens of a sequence, H heads, W head dimension, D = H * W. Matrices are row major;
// a stride is the distance between rows in floats. d_x is the gradient of the loss with respect
// to x. Arguments of one call do not overlap unless the comment says so.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/simd/isa.hpp"

namespace soma::training {

struct attention_shape {
  std::size_t length = 0;    // S
  std::size_t heads = 0;     // H
  std::size_t head_dim = 0;  // W, even
};

/// Gradients of a layer norm's parameters, [D] each. The kernel adds to the values in them.
struct layer_norm_gradient {
  float* d_gamma;
  float* d_beta;
};

/// The scalars of one AdamW step. `t` counts steps from 1.
struct adamw_scalars {
  float step_size;          // learning rate / (1 - beta_1^t)
  float v_correction;       // 1 / (1 - beta_2^t), the bias correction of the second moment
  float weight_decay_keep;  // 1 - learning rate * weight decay
  float gradient_scale;     // every gradient is multiplied by this first: gradient clipping
};

/// Attention of one head of one sequence. `qkv` points at the head's first query; the rows of qkv
/// are 3 D apart, and each holds D queries, then D keys, then D values. `cosine` and `sine` are the
/// rotary angles, [S][W/2]. `scratch` has scratch(shape) floats.
struct attention_kernels {
  /// Writes W columns of each row of `out`, whose rows are D apart, and the log-sum-exp of each
  /// row of scores, [S].
  void (*forward)(const attention_shape&, const float* qkv, const float* cosine, const float* sine,
                  float* out, float* log_sum_exp, float* scratch);
  /// Writes d_qkv from d_out. `out` and `log_sum_exp` are the results of forward.
  void (*backward)(const attention_shape&, const float* qkv, const float* cosine, const float* sine,
                   const float* out, const float* log_sum_exp, const float* d_out, float* d_qkv,
                   float* scratch);
  std::size_t (*scratch)(const attention_shape&);
};

/// Matrix products of one precision, and the attention that is built of them. A right-hand matrix
/// is packed first, so that a product reads it in the order of memory.
struct matmul_kernels {
  /// The floats that a packed [k][n] matrix takes.
  std::size_t (*packed_size)(std::size_t k, std::size_t n);
  /// Packs a matrix whose element (i, j) stands at b[i * row_stride + j * column_stride]. With the
  /// two strides exchanged, the transpose is packed.
  void (*pack)(const float* b, std::size_t row_stride, std::size_t column_stride, std::size_t k,
               std::size_t n, float* packed);
  /// c[rows][n] = a[rows][k] * packed + bias; `bias` may be null. With `add`, the result is added
  /// to c. `scratch` has matmul_scratch(rows) floats.
  void (*matmul)(const float* a, std::size_t a_stride, const float* packed, std::size_t rows,
                 std::size_t k, std::size_t n, float* c, std::size_t c_stride, bool add,
                 const float* bias, float* scratch);
  std::size_t (*matmul_scratch)(std::size_t rows);
  /// c[m][n] = transpose(a[k][m]) * b[k][n], the shape of a weight gradient. m and n are at most
  /// transposed_limit. `scratch` has transposed_scratch floats.
  void (*matmul_transposed)(const float* a, std::size_t a_stride, const float* b,
                            std::size_t b_stride, std::size_t k, std::size_t m, std::size_t n,
                            float* c, std::size_t c_stride, float* scratch);
  std::size_t transposed_scratch;
  attention_kernels attention;
};

inline constexpr std::size_t transposed_limit = 256;  // rows and columns of one matmul_transposed

struct kernel_set {
  matmul_kernels products;

  /// y = (x - mean) / sqrt(variance + 1e-5) * gamma + beta, for [rows][d] without gaps.
  void (*layer_norm)(const float* x, std::size_t rows, std::size_t d, const float* gamma,
                     const float* beta, float* y);
  /// d_x = d_residual + the gradient through the norm. d_residual may be null, and may be d_x.
  void (*layer_norm_backward)(const float* x, const float* d_y, std::size_t rows, std::size_t d,
                              const float* gamma, const float* d_residual, float* d_x,
                              layer_norm_gradient);
  /// y = x * Phi(x) with an absolute error below 1e-6 for x of any size. y may be x.
  void (*gelu)(const float* x, float* y, std::size_t count);
  /// x becomes gelu(x), and d_y becomes d_x.
  void (*gelu_backward)(float* x, float* d_y, std::size_t count);
  /// sums[j] += the sum of column j of x[rows][n]. This is the gradient of a bias.
  void (*add_column_sums)(const float* x, std::size_t stride, std::size_t rows, std::size_t n,
                          float* sums);
  /// Softmax and cross-entropy of `rows` rows of `n` logits. The logits become
  /// d_logits = scale * (probs - one_hot(target)). A target below 0 takes no part, and its row
  /// becomes 0. Returns the sum of the cross-entropies, which `scale` does not touch.
  double (*softmax_cross_entropy)(float* logits, std::size_t stride, std::size_t rows,
                                  std::size_t n, const std::int32_t* targets, float scale);
  /// SIGReg's statistic of one position over `slices` angles, which are given by their cosines and
  /// sines: the sum over multiples i = 1 .. multiples of
  /// weight[i] * ((mean of cos(i * angle) - phi[i])^2 + (mean of sin(i * angle))^2).
  /// Writes its gradient with respect to each angle.
  double (*sigreg)(const float* cosine, const float* sine, std::size_t slices,
                   std::size_t multiples, const float* phi, const float* weight, float* d_angle);

  double (*sum_of_squares)(const float* x, std::size_t count);
  /// AdamW with beta_1 = 0.9, beta_2 = 0.95 and epsilon = 1e-8: parameters, first moments m and
  /// second moments v are updated in place.
  void (*adamw)(float* parameters, float* m, float* v, const float* gradients, std::size_t count,
                const adamw_scalars&);
};

/// The kernels of a set that this processor can run. `scalar` and `portable` are one here: training
/// uses the four lanes that every x86-64 processor has.
[[nodiscard]] const kernel_set& kernels_for(simd::isa set);

/// The kernels of simd::chosen_isa(), which see.
[[nodiscard]] const kernel_set& kernels();

/// Products whose factors are rounded to bfloat16 and whose sums are binary32; null if the
/// processor has no such instruction, or if SOMA_ISA names a set without it.
[[nodiscard]] const matmul_kernels* bf16_products();

extern const kernel_set kernels_portable;
#if defined(__x86_64__)
extern const kernel_set kernels_avx2;
extern const kernel_set kernels_avx512;
extern const matmul_kernels products_bf16;
#endif

}  // namespace soma::training
