#include "model/torch/network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/torch/kernels.hpp"

namespace soma::model::twin {
namespace {

using at::Tensor;

/// The points t, the density phi(t) and the weights of the trapezoid rule, in binary32 as the
/// protocol has them.
struct quadrature {
  std::vector<float> t, phi, weight;
};

quadrature make_quadrature(std::int64_t points) {
  quadrature q;
  const double step = sigreg_t_max / static_cast<double>(points - 1);
  for (std::int64_t i = 0; i < points; ++i) {
    const double t = static_cast<double>(i) * step;
    const double phi = std::exp(-t * t / 2);
    const bool end = i == 0 || i == points - 1;
    q.t.push_back(static_cast<float>(t));
    q.phi.push_back(static_cast<float>(phi));
    q.weight.push_back(static_cast<float>(phi * (end ? step : 2 * step)));
  }
  return q;
}

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
  const auto dense = [&](const std::string& name) {
    return affine{find(name + ".weight"), find(name + ".bias")};
  };
  network net;
  net.heads = heads;
  net.embedding = find("embedding.weight");
  for (std::int64_t l = 0; l < layers; ++l) {
    const std::string p = "encoder.layers." + std::to_string(l) + ".";
    net.layers.push_back({norm(p + "norm_1"),
                          {dense(p + "attention.query"), dense(p + "attention.key"),
                           dense(p + "attention.value"), dense(p + "attention.output")},
                          norm(p + "norm_2"),
                          dense(p + "pwff.linear_inner"),
                          dense(p + "pwff.linear_outer")});
  }
  net.final_norm = norm("final_norm");
  net.predictor = dense("predictor");
  return net;
}

rotary make_rotary(std::span<const std::uint32_t> positions, std::int64_t rows,
                   std::int64_t width) {
  const auto slots = static_cast<std::int64_t>(positions.size()) / rows;
  const std::int64_t half = width / 2;
  rotary angles{at::empty({rows, slots, 1, half}, at::kFloat),
                at::empty({rows, slots, 1, half}, at::kFloat)};
  std::vector<double> wavelength;
  for (std::int64_t i = 0; i < half; ++i) {
    wavelength.push_back(
        std::pow(10000.0, 2.0 * static_cast<double>(i) / static_cast<double>(width)));
  }
  float* cosine = angles.cosine.data_ptr<float>();
  float* sine = angles.sine.data_ptr<float>();
  for (const auto position : positions) {
    for (const double length : wavelength) {
      const double theta = static_cast<double>(position) / length;
      *cosine++ = static_cast<float>(std::cos(theta));
      *sine++ = static_cast<float>(std::sin(theta));
    }
  }
  return angles;
}

Tensor causal_mask(std::int64_t slots) {
  return at::full({slots, slots}, -std::numeric_limits<float>::infinity(), at::kFloat).triu(1);
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

Tensor attention(const Tensor& x, const attention_weights& weights, std::int64_t heads,
                 const rotary& angles, const Tensor& mask) {
  const std::int64_t n = x.size(0);
  const std::int64_t s = x.size(1);
  const std::int64_t d = x.size(2);
  const std::int64_t width = d / heads;
  const auto split = [&](const affine& w) { return linear(x, w).view({n, s, heads, width}); };
  const Tensor q = rotate(split(weights.query), angles).transpose(1, 2);
  const Tensor k = rotate(split(weights.key), angles).transpose(1, 2);
  const Tensor v = split(weights.value).transpose(1, 2);
  const Tensor scores =
      at::matmul(q, k.transpose(2, 3)) * (1.0 / std::sqrt(static_cast<double>(width)));
  const Tensor mixed = at::matmul(at::softmax(scores + mask, -1), v);
  return linear(mixed.transpose(1, 2).reshape({n, s, d}), weights.output);
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

double sigreg_sum(const Tensor& y, const Tensor& unit_columns, std::int64_t points) {
  const auto q = make_quadrature(points);
  const std::int64_t slices = unit_columns.size(1);
  const auto turns = static_cast<std::size_t>(points - 1);
  constexpr std::int64_t block = 512;
  std::vector<float> sums(block * turns * 2);
  double total = 0;
  for (std::int64_t first = 0; first < y.size(0); first += block) {
    // The points are equally spaced: each is the one before, turned once more. At point 0 there is
    // nothing to see.
    const Tensor angle =
        at::mm(y.narrow(0, first, std::min(block, y.size(0) - first)), unit_columns) * q.t[1];
    const Tensor cosine = angle.cos();
    const Tensor sine = angle.sin();
    const auto rows = static_cast<std::size_t>(angle.size(0));
    kernels().turn_sums(cosine.data_ptr<float>(), sine.data_ptr<float>(), rows,
                        static_cast<std::size_t>(slices), turns, sums.data());
    for (std::size_t at = 0; at < rows * turns; ++at) {
      const std::size_t i = at % turns + 1;
      const double off = static_cast<double>(sums[2 * at]) / static_cast<double>(slices) - q.phi[i];
      const double odd = static_cast<double>(sums[2 * at + 1]) / static_cast<double>(slices);
      total += (off * off + odd * odd) * q.weight[i];
    }
  }
  return total * static_cast<double>(slices);
}

Tensor sigreg_mean(const Tensor& y, const Tensor& unit_columns, std::int64_t points) {
  const auto q = make_quadrature(points);
  const Tensor angle = at::mm(y, unit_columns).unsqueeze(-1) * tensor_of(q.t);  // [T, K, points]
  const Tensor off = angle.cos().mean(1) - tensor_of(q.phi);
  const Tensor odd = angle.sin().mean(1);
  const Tensor statistic = ((off * off + odd * odd) * tensor_of(q.weight)).sum(-1);
  return statistic.mean() * static_cast<double>(unit_columns.size(1));
}

}  // namespace soma::model::twin
