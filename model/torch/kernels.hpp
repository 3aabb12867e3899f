// Inner loops that libtorch has only in pieces: causal attention without a matrix of scores in
// memory, GELU with its slope, SIGReg's turning points. Plain pointers, no libtorch. One body,
// compiled for several instruction sets; fma may be contracted, so bits are those of one machine,
// as everything of the twin's. Letters: N sequences, S slots, H heads, W head width, D = H * W.
#pragma once

#include <cstddef>

namespace soma::model::twin {

struct attention_shape {
  std::size_t rows = 0;   // N
  std::size_t slots = 0;  // S
  std::size_t heads = 0;  // H
  std::size_t width = 0;  // W, even
  std::size_t angle_rows =
      1;  // 1: all rows stand at the same positions; N: each has angles of its own
};

struct kernel_set {
  /// Floats of scratch that both attention kernels need.
  std::size_t (*attention_scratch)(const attention_shape&);
  /// qkv: [N*S, 3D], queries, keys, values side by side; cosine, sine: [angle_rows, S, W/2].
  /// Writes out [N*S,
  /// D] and for each of [N, H, S] the logarithm of the soft-max's denominator.
  void (*attention_forward)(const attention_shape&, const float* qkv, const float* cosine,
                            const float* sine, float* out, float* log_sums, float* scratch);
  /// The gradient of qkv from that of out.
  void (*attention_backward)(const attention_shape&, const float* qkv, const float* cosine,
                             const float* sine, const float* out, const float* log_sums,
                             const float* out_gradient, float* qkv_gradient, float* scratch);
  /// y = x * Phi(x), slope = dy/dx; absolute error below 1e-6 for x of any size.
  void (*gelu)(const float* x, float* y, float* slope, std::size_t count);
  /// For each of `rows` rows of `slices` cosines and sines of an angle: the sums over the slices of
  /// cos and sin of 1, 2, … `turns` times the angle. sums: [rows][turns][2].
  void (*turn_sums)(const float* cosine, const float* sine, std::size_t rows, std::size_t slices,
                    std::size_t turns, float* sums);
};

/// The best set this processor can run. SOMA_ISA does not apply: only the exact engine promises the
/// same bits everywhere.
[[nodiscard]] const kernel_set& kernels();

extern const kernel_set kernels_portable;
#if defined(__x86_64__)
extern const kernel_set kernels_v3;
extern const kernel_set kernels_v4;
#endif

}  // namespace soma::model::twin
