// Architecture V1 as ordinary libtorch calls. The reference engine scores with it, and the
// trainer's own pass is compared with it. For sources of model/reference only.
//
// Letters: B sequences of S tokens, T = B * S positions, D dim, H heads, W = D / H head dimension,
// F ffn, V vocabulary, K slices of SIGReg.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "messages/values/architecture.hpp"
#include "model/training/sigreg.hpp"

namespace soma::reference {

using training::sigreg_coefficient;
using training::sigreg_points;
using training::sigreg_slices;

struct affine {
  at::Tensor weight;  // of a linear layer: [in, out]; of a norm: gamma
  at::Tensor bias;    // of a linear layer: [out]; of a norm: beta
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

/// Makes a network from the tensors that `find` returns by name.
[[nodiscard]] network make_network(std::int64_t layers, std::int64_t heads,
                                   const std::function<at::Tensor(const std::string&)>& find);

/// Cosines and sines of the rotary angles, [B, S, 1, W/2] each; computed in binary64 and rounded
/// once to binary32.
struct rotary {
  at::Tensor cosine, sine;
};
/// `positions` holds the positions of `sequences` sequences, one sequence after the other.
[[nodiscard]] rotary make_rotary(std::span<const std::uint32_t> positions, std::int64_t sequences,
                                 std::int64_t head_dim);

/// [S, S]: 0 on and below the diagonal, minus infinity above it.
[[nodiscard]] at::Tensor causal_mask(std::int64_t length);

[[nodiscard]] at::Tensor linear(const at::Tensor& x, const affine& weights);
[[nodiscard]] at::Tensor layer_norm(const at::Tensor& x, const affine& weights);
[[nodiscard]] at::Tensor feed_forward(const at::Tensor& x, const affine& inner,
                                      const affine& outer);
/// The rotary embedding of x [B, S, H, W]: feature i turns together with feature i + W/2.
[[nodiscard]] at::Tensor rotate(const at::Tensor& x, const rotary& angles);
/// q, k, v: [B, S, H, W], not yet rotated. Returns [B, S, D], before the output projection.
[[nodiscard]] at::Tensor scaled_dot_product_attention(const at::Tensor& q, const at::Tensor& k,
                                                      const at::Tensor& v, const rotary& angles,
                                                      const at::Tensor& mask);
/// x: [B, S, D]
[[nodiscard]] at::Tensor attention(const at::Tensor& x, const attention_weights& weights,
                                   std::int64_t heads, const rotary& angles,
                                   const at::Tensor& mask);
[[nodiscard]] at::Tensor encode_layers(at::Tensor x, const network& net, const rotary& angles,
                                       const at::Tensor& mask);
/// The representation [B, S, D] of ids [B, S]: the result of the final norm.
[[nodiscard]] at::Tensor represent(const at::Tensor& ids, const network& net, const rotary& angles,
                                   const at::Tensor& mask);

/// SIGReg's directions: the columns of `noise` [D, K], standard normals, each divided by its
/// length.
[[nodiscard]] at::Tensor directions(const at::Tensor& noise);
/// The mean of SIGReg's statistic over the T rows of y [T, D]. It is differentiable, and its memory
/// grows with T * K * points.
[[nodiscard]] at::Tensor sigreg_mean(const at::Tensor& y, const at::Tensor& directions,
                                     std::int64_t points = sigreg_points);
/// The sum of SIGReg's statistic over the rows, computed in blocks of rows that bound the memory.
[[nodiscard]] double sigreg_sum(const at::Tensor& y, const at::Tensor& directions,
                                std::int64_t points = sigreg_points);

}  // namespace soma::reference
