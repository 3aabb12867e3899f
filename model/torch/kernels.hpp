// Inner loops of training: products of matrices, causal attention without a matrix of scores in
// memory, layer norm, GELU, soft-max with its loss, SIGReg, AdamW, each with its gradient. Plain
// pointers, no libtorch, no threads: a caller cuts the work into pieces. One body, compiled for
// several instruction sets; fma may be contracted, so bits are those of one machine. What a piece
// computes does not depend on how the work was cut. Letters: S slots, H heads, W head width,
// D = H * W. Matrices are row major with a stride, in floats, between rows. No two arguments of one
// call overlap unless it says so.
#pragma once

#include <cstddef>
#include <cstdint>

namespace soma::model::twin {

struct attention_shape {
  std::size_t slots = 0;  // S
  std::size_t heads = 0;  // H
  std::size_t width = 0;  // W, even
};

struct norm_gradient {
  float* gamma;  // [d], added to
  float* beta;   // [d], added to
};

struct adamw_step {
  float size;        // rate / (1 - beta_1^t)
  float correction;  // 1 / (1 - beta_2^t)
  float keep;        // 1 - rate * weight decay
  float scale;       // what gradients are multiplied by first
};

struct attention_kernels {
  /// One head of one sequence. qkv points at its first query: rows of 3 D, keys D after queries,
  /// values D after keys; cosine, sine: [S, W/2]. Writes W of the D columns of each of out's rows,
  /// and the logarithm of each row's soft-max denominator. scratch: scratch() floats.
  void (*forward)(const attention_shape&, const float* qkv, const float* cosine, const float* sine,
                  float* out, float* log_sums, float* scratch);
  /// The gradient of qkv from that of out; the same places.
  void (*backward)(const attention_shape&, const float* qkv, const float* cosine, const float* sine,
                   const float* out, const float* log_sums, const float* out_gradient,
                   float* qkv_gradient, float* scratch);
  std::size_t (*scratch)(const attention_shape&);
};

/// The products of one precision, and attention built of them.
struct product_set {
  /// Floats that a packed [k][n] matrix takes.
  std::size_t (*packed_size)(std::size_t k, std::size_t n);
  /// Element (i, j) of the right-hand matrix stands at b[i * row_stride + j * column_stride].
  void (*pack)(const float* b, std::size_t row_stride, std::size_t column_stride, std::size_t k,
               std::size_t n, float* packed);
  /// c[rows][n] = a[rows][k] * packed + bias, where bias may be null; with `add`, c is added to.
  /// scratch: multiply_scratch(rows) floats.
  void (*multiply)(const float* a, std::size_t a_stride, const float* packed, std::size_t rows,
                   std::size_t k, std::size_t n, float* c, std::size_t c_stride, bool add,
                   const float* bias, float* scratch);
  std::size_t (*multiply_scratch)(std::size_t rows);
  /// c[m][n] = the transpose of a[k][m] times b[k][n]; m, n at most 256. scratch: across_scratch
  /// floats.
  void (*multiply_across)(const float* a, std::size_t a_stride, const float* b,
                          std::size_t b_stride, std::size_t k, std::size_t m, std::size_t n,
                          float* c, std::size_t c_stride, float* scratch);
  std::size_t across_scratch;
  attention_kernels attention;
};

inline constexpr std::size_t across_most = 256;  // rows and columns of one multiply_across

struct kernel_set {
  product_set products;

  /// y = (x - mean) / sqrt(variance + 1e-5) * gamma + beta; [rows][d] without gaps.
  void (*layer_norm)(const float* x, std::size_t rows, std::size_t d, const float* gamma,
                     const float* beta, float* y);
  /// dx = residual + the gradient of x from dy; residual may be null or dx itself.
  void (*layer_norm_backward)(const float* x, const float* dy, std::size_t rows, std::size_t d,
                              const float* gamma, const float* residual, float* dx, norm_gradient);
  /// y = x * Phi(x), absolute error below 1e-6 for x of any size; y may be x.
  void (*gelu)(const float* x, float* y, std::size_t count);
  /// x becomes gelu(x), dy becomes the gradient of x.
  void (*gelu_backward)(float* x, float* dy, std::size_t count);
  /// sums[j] += the sum of column j of x [rows][n].
  void (*add_columns)(const float* x, std::size_t stride, std::size_t rows, std::size_t n,
                      float* sums);
  /// Rows of `n` logits become the gradients of scale * their cross-entropy; targets below 0 count
  /// for nothing. Returns the sum of the cross-entropies, not scaled.
  double (*cross_entropy)(float* logits, std::size_t stride, std::size_t rows, std::size_t n,
                          const std::int32_t* targets, float scale);
  /// One position's SIGReg statistic over `slices` angles, given by cosines and sines: the sum over
  /// turns i = 1..turns of weight[i] ((mean cos(i angle) - phi[i])^2 + (mean sin(i angle))^2), and
  /// its gradient by each angle.
  double (*sigreg)(const float* cosine, const float* sine, std::size_t slices, std::size_t turns,
                   const float* phi, const float* weight, float* gradient);

  double (*sum_of_squares)(const float* x, std::size_t count);
  /// Betas 0.9 and 0.95, epsilon 1e-8.
  void (*adamw)(float* parameters, float* first_moments, float* second_moments,
                const float* gradients, std::size_t count, const adamw_step&);
};

/// The best set this processor can run. SOMA_ISA does not apply: only the exact engine promises the
/// same bits everywhere.
[[nodiscard]] const kernel_set& kernels();

/// Set `which` of those this processor can run, slowest first; null when there are fewer.
[[nodiscard]] const kernel_set* runnable_kernels(std::size_t which);

/// Products whose factors are rounded to bfloat16 and whose sums are binary32; null where the
/// processor has no such instruction.
[[nodiscard]] const product_set* bf16_products();

extern const kernel_set kernels_portable;
#if defined(__x86_64__)
extern const kernel_set kernels_v3;
extern const kernel_set kernels_v4;
extern const product_set products_bf16;
#endif

}  // namespace soma::model::twin
