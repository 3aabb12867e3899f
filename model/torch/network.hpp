// Architecture V1 as ordinary libtorch calls; the same code scores and is trained. Inside of
// model/torch only. Letters: N sequences, S slots, T = N*S, D dim, H heads, W = D/H, F ffn, V
// vocabulary, K slices.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "messages/types/architecture.hpp"

namespace soma::model::twin {

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
/// Sum over the T rows of y [T, D] of SIGReg's token statistic, in blocks, so memory does not grow
/// with T.
[[nodiscard]] double sigreg_sum(const at::Tensor& y, const at::Tensor& directions,
                                std::int64_t points = 17);
/// The mean of the same statistic, differentiable; memory grows with T * K * points.
[[nodiscard]] at::Tensor sigreg_mean(const at::Tensor& y, const at::Tensor& directions,
                                     std::int64_t points = 17);

inline constexpr double sigreg_t_max = 3.0;
inline constexpr std::int64_t sigreg_slices = 256;
inline constexpr float sigreg_coefficient = 0.02f;

}  // namespace soma::model::twin
