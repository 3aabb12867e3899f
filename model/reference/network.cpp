#include "model/reference/network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace soma::reference {
namespace {

using at::Tensor;

Tensor tensor_of(const std::vector<float>& values) {
  Tensor t = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), t.data_ptr<float>());
  return t;
}

}  // namespace

network make_network(std::int64_t layers, std::int64_t heads,
                     const std::function<Tensor(const std::string&)>& find) {
  const auto norm = [&](const std::string& name) {
    return affine{find(name + ".gamma"), find(name + ".beta")};
  };
  const auto linear_layer = [&](const std::string& name) {
    return affine{find(name + ".weight"), find(name + ".bias")};
  };
  network net;
  net.heads = heads;
  net.embedding = find("embedding.weight");
  for (std::int64_t l = 0; l < layers; ++l) {
    const std::string p = "encoder.layers." + std::to_string(l) + ".";
    net.layers.push_back(
        {norm(p + "norm_1"),
         {linear_layer(p + "attention.query"), linear_layer(p + "attention.key"),
          linear_layer(p + "attention.value"), linear_layer(p + "attention.output")},
         norm(p + "norm_2"),
         linear_layer(p + "pwff.linear_inner"),
         linear_layer(p + "pwff.linear_outer")});
  }
  net.final_norm = norm("final_norm");
  net.predictor = linear_layer("predictor");
  return net;
}

rotary make_rotary(std::span<const std::uint32_t> positions, std::int64_t sequences,
                   std::int64_t head_dim) {
  const auto length = static_cast<std::int64_t>(positions.size()) / sequences;
  const std::int64_t half = head_dim / 2;
  rotary angles{at::empty({sequences, length, 1, half}, at::kFloat),
                at::empty({sequences, length, 1, half}, at::kFloat)};
  std::vector<double> wavelengths;
  for (std::int64_t i = 0; i < half; ++i) {
    wavelengths.push_back(
        std::pow(10000.0, 2.0 * static_cast<double>(i) / static_cast<double>(head_dim)));
  }
  float* cosine = angles.cosine.data_ptr<float>();
  float* sine = angles.sine.data_ptr<float>();
  for (const auto position : positions) {
    for (const double wavelength : wavelengths) {
      const double angle = static_cast<double>(position) / wavelength;
      *cosine++ = static_cast<float>(std::cos(angle));
      *sine++ = static_cast<float>(std::sin(angle));
    }
  }
  return angles;
}

Tensor causal_mask(std::int64_t length) {
  return at::full({length, length}, -std::numeric_limits<float>::infinity(), at::kFloat).triu(1);
}

Tensor linear(const Tensor& x, const affine& weights) {
  if (x.dim() == 2) return at::addmm(weights.bias, x, weights.weight);
  auto shape = x.sizes().vec();
  shape.back() = weights.weight.size(1);
  return at::addmm(weights.bias, x.reshape({-1, x.size(-1)}), weights.weight).view(shape);
}

Tensor layer_norm(const Tensor& x, const affine& weights) {
  return at::layer_norm(x, {x.size(-1)}, weights.weight, weights.bias, 1e-5);
}

Tensor feed_forward(const Tensor& x, const affine& inner, const affine& outer) {
  return linear(at::gelu(linear(x, inner)), outer);
}

Tensor rotate(const Tensor& x, const rotary& angles) {
  const std::int64_t half = x.size(-1) / 2;
  const Tensor a = x.narrow(-1, 0, half);
  const Tensor b = x.narrow(-1, half, half);
  return at::cat({a * angles.cosine - b * angles.sine, b * angles.cosine + a * angles.sine}, -1);
}

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const rotary& angles, const Tensor& mask) {
  const std::int64_t head_dim = q.size(3);
  const Tensor queries = rotate(q, angles).transpose(1, 2);
  const Tensor keys = rotate(k, angles).transpose(1, 2);
  const Tensor scores =
      at::matmul(queries, keys.transpose(2, 3)) * (1.0 / std::sqrt(static_cast<double>(head_dim)));
  const Tensor attended = at::matmul(at::softmax(scores + mask, -1), v.transpose(1, 2));
  return attended.transpose(1, 2).reshape({q.size(0), q.size(1), q.size(2) * head_dim});
}

Tensor attention(const Tensor& x, const attention_weights& weights, std::int64_t heads,
                 const rotary& angles, const Tensor& mask) {
  const std::int64_t n = x.size(0);
  const std::int64_t s = x.size(1);
  const std::int64_t head_dim = x.size(2) / heads;
  const auto split = [&](const affine& w) { return linear(x, w).view({n, s, heads, head_dim}); };
  const Tensor attended = scaled_dot_product_attention(split(weights.query), split(weights.key),
                                                       split(weights.value), angles, mask);
  return linear(attended, weights.output);
}

Tensor encode_layers(Tensor x, const network& net, const rotary& angles, const Tensor& mask) {
  for (const auto& layer : net.layers) {
    x = x + attention(layer_norm(x, layer.norm_1), layer.attention, net.heads, angles, mask);
    x = x + feed_forward(layer_norm(x, layer.norm_2), layer.inner, layer.outer);
  }
  return x;
}

Tensor represent(const Tensor& ids, const network& net, const rotary& angles, const Tensor& mask) {
  const Tensor x = at::embedding(net.embedding, ids);
  return layer_norm(encode_layers(x, net, angles, mask), net.final_norm);
}

Tensor directions(const Tensor& noise) {
  return noise / noise.norm(2, {0}, true);
}

Tensor sigreg_mean(const Tensor& y, const Tensor& directions, std::int64_t points) {
  const auto q = training::make_quadrature(points);
  const Tensor angle = at::mm(y, directions).unsqueeze(-1) * tensor_of(q.t);  // [T, K, points]
  const Tensor cosine_error = angle.cos().mean(1) - tensor_of(q.phi);
  const Tensor mean_sine = angle.sin().mean(1);
  const Tensor statistic =
      ((cosine_error * cosine_error + mean_sine * mean_sine) * tensor_of(q.weight)).sum(-1);
  return statistic.mean() * static_cast<double>(directions.size(1));
}

double sigreg_sum(const Tensor& y, const Tensor& directions, std::int64_t points) {
  constexpr std::int64_t block = 16'384;  // a batch of 16 sequences of 1024
  double total = 0;
  for (std::int64_t first = 0; first < y.size(0); first += block) {
    const Tensor part = y.narrow(0, first, std::min(block, y.size(0) - first));
    total +=
        sigreg_mean(part, directions, points).item<double>() * static_cast<double>(part.size(0));
  }
  return total;
}

}  // namespace soma::reference
