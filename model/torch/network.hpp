// Architecture V1 as ordinary libtorch calls: what the twin scores with, and what the trainer's own
// pass is held against. Inside of model/torch only. Letters: N sequences, S slots, T = N*S, D dim,
// H heads, W = D/H, F ffn, V vocabulary, K slices.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "messages/types/architecture.hpp"

namespace soma::model::twin {

inline constexpr double sigreg_t_max = 3.0;
inline constexpr std::int64_t sigreg_points = 17;
inline constexpr std::int64_t sigreg_slices = 256;
inline constexpr float sigreg_coefficient = 0.02f;

struct affine {
  at::Tensor weight;  // linear: [in, out]; norm: gamma
  at::Tensor bias;    // linear: [out]; norm: beta
};

struct attention_weights {
  affine query, key, value, output;
};

struct layer_weights {
  affine norm_1;
  attention_weights attention;
  affine norm_2;
  affine inner, outer;
};

struct network {
  std::int64_t heads = 1;
  at::Tensor embedding;  // [V, D]
  std::vector<layer_weights> layers;
  affine final_norm;
  affine predictor;
};

/// The network whose tensors `find` returns by name.
[[nodiscard]] network make_network(std::int64_t layers, std::int64_t heads,
                                   const std::function<at::Tensor(const std::string&)>& find);

/// Cosines and sines of the rotary angles, [N, S, 1, W/2] each; computed in binary64, rounded once.
struct rotary {
  at::Tensor cosine, sine;
};
[[nodiscard]] rotary make_rotary(std::span<const std::uint32_t> positions, std::int64_t rows,
                                 std::int64_t width);

/// [S, S]: 0 on and below the diagonal, minus infinity above.
[[nodiscard]] at::Tensor causal_mask(std::int64_t slots);

[[nodiscard]] at::Tensor linear(const at::Tensor& x, const affine& weights);
[[nodiscard]] at::Tensor layer_norm(const at::Tensor& x, const affine& weights);
[[nodiscard]] at::Tensor feed_forward(const at::Tensor& x, const affine& inner,
                                      const affine& outer);
/// x: [N, S, H, W]; half-split rotation.
[[nodiscard]] at::Tensor rotate(const at::Tensor& x, const rotary& angles);
/// q, k, v: [N, S, H, W], not yet rotated -> [N, S, D], before the output projection.
[[nodiscard]] at::Tensor mix(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             const rotary& angles, const at::Tensor& mask);
/// x: [N, S, D]
[[nodiscard]] at::Tensor attention(const at::Tensor& x, const attention_weights& weights,
                                   std::int64_t heads, const rotary& angles,
                                   const at::Tensor& mask);
[[nodiscard]] at::Tensor encode_layers(at::Tensor x, const network& net, const rotary& angles,
                                       const at::Tensor& mask);
/// ids: [N, S] -> representation [N, S, D]
[[nodiscard]] at::Tensor represent(const at::Tensor& ids, const network& net, const rotary& angles,
                                   const at::Tensor& mask);

/// Columns of unit length from standard normals, [D, K]. Seed: the batch's.
[[nodiscard]] at::Tensor directions(const at::Tensor& noise);
/// The mean over the T rows of y [T, D] of SIGReg's token statistic, differentiable; memory grows
/// with T * K * points.
[[nodiscard]] at::Tensor sigreg_mean(const at::Tensor& y, const at::Tensor& directions,
                                     std::int64_t points = sigreg_points);
/// The sum over the rows instead, in blocks of rows that bound the memory of a large batch.
[[nodiscard]] double sigreg_sum(const at::Tensor& y, const at::Tensor& directions,
                                std::int64_t points = sigreg_points);

/// SIGReg's points t, the density phi(t) and the weights of the trapezoid rule, in binary32 as the
/// protocol has them.
struct quadrature {
  std::vector<float> t, phi, weight;
};
[[nodiscard]] quadrature make_quadrature(std::int64_t points);
}  // namespace soma::model::twin
