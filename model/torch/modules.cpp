#include "model/torch/modules.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <numeric>

#include "model/torch/boundary.hpp"
#include "model/torch/kernels.hpp"
#include "model/torch/network.hpp"
#include "model/torch/threads.hpp"

namespace soma::model::twin_modules {
namespace {

using at::Tensor;

Tensor tensor_of(const values& data, const std::vector<std::int64_t>& shape) {
  return at::from_blob(const_cast<float*>(data.data()), shape, at::kFloat).clone();
}
Tensor tensor_of(const shaped& x) {
  return tensor_of(x.data, x.shape);
}
Tensor vector_of(const values& data) {
  return tensor_of(data, {static_cast<std::int64_t>(data.size())});
}

values values_of(const Tensor& t) {
  const Tensor c = t.contiguous();
  return {c.data_ptr<float>(), c.data_ptr<float>() + c.numel()};
}

twin::rotary angles_for(std::int64_t slots, std::int64_t width, std::uint32_t first) {
  std::vector<std::uint32_t> positions(static_cast<std::size_t>(slots));
  std::iota(positions.begin(), positions.end(), first);
  return twin::make_rotary(positions, 1, width);
}

twin::attention_weights attention_of(const tensors& w) {
  const auto part = [&w](const std::string& name) {
    return twin::affine{tensor_of(w.at(name + ".weight")), tensor_of(w.at(name + ".bias"))};
  };
  return {part("query"), part("key"), part("value"), part("output")};
}

template <class Work>
auto guarded(Work&& work) {
  return twin::at_boundary([&] {
    configure_threads_by_default();
    const c10::AutoGradMode recording(false);
    return work();
  });
}

}  // namespace

values layer_norm(const shaped& x, const values& gamma, const values& beta) {
  return guarded([&] {
    return values_of(twin::layer_norm(tensor_of(x), {vector_of(gamma), vector_of(beta)}));
  });
}

values linear(const shaped& x, const shaped& weight, const values& bias) {
  return guarded([&] {
    return values_of(twin::linear(tensor_of(x), {tensor_of(weight), vector_of(bias)}));
  });
}

values embed(const std::vector<std::int64_t>& ids, const shaped& table) {
  return guarded([&] {
    Tensor which = at::empty({static_cast<std::int64_t>(ids.size())}, at::kLong);
    std::copy(ids.begin(), ids.end(), which.data_ptr<std::int64_t>());
    return values_of(at::embedding(tensor_of(table), which));
  });
}

values feed_forward(const shaped& x, const shaped& inner, const values& inner_bias,
                    const shaped& outer, const values& outer_bias) {
  return guarded([&] {
    return values_of(twin::feed_forward(tensor_of(x), {tensor_of(inner), vector_of(inner_bias)},
                                        {tensor_of(outer), vector_of(outer_bias)}));
  });
}

values rotate(const shaped& x, std::uint32_t first) {
  return guarded([&] {
    return values_of(twin::rotate(tensor_of(x), angles_for(x.shape[1], x.shape[3], first)));
  });
}

values attention(const shaped& x, const tensors& weights, std::int64_t heads) {
  return guarded([&] {
    return values_of(twin::attention(tensor_of(x), attention_of(weights), heads,
                                     angles_for(x.shape[1], x.shape[2] / heads, 0),
                                     twin::causal_mask(x.shape[1])));
  });
}

outputs run_network(const shaped& hidden, const tensors& weights, std::int64_t layers,
                    std::int64_t heads) {
  return guarded([&] {
    const auto net = twin::make_network(layers, heads, [&](const std::string& name) {
      const auto found = weights.find(name);
      return found == weights.end() ? Tensor() : tensor_of(found->second);
    });
    outputs result;
    const Tensor x = twin::encode_layers(tensor_of(hidden), net,
                                         angles_for(hidden.shape[1], hidden.shape[2] / heads, 0),
                                         twin::causal_mask(hidden.shape[1]));
    result.encoded = values_of(x);
    if (!net.final_norm.weight.defined()) return result;
    const Tensor y = twin::layer_norm(x, net.final_norm);
    result.representation = values_of(y);
    result.logits = values_of(twin::linear(y, net.predictor));
    return result;
  });
}

double sigreg(const shaped& x, const shaped& noise, std::int64_t points) {
  return guarded([&] {
    const Tensor y = tensor_of(x).reshape({-1, x.shape.back()});
    return twin::sigreg_sum(y, twin::directions(tensor_of(noise)), points) /
           static_cast<double>(y.size(0));
  });
}

gradient_check compare_attention(const shaped& qkv, std::int64_t heads) {
  return guarded([&] {
    const std::int64_t n = qkv.shape[0];
    const std::int64_t s = qkv.shape[1];
    const std::int64_t d = qkv.shape[2] / 3;
    const auto angles = angles_for(s, d / heads, 0);
    const c10::AutoGradMode recording(true);
    const Tensor in = tensor_of(qkv).requires_grad_(true);
    const auto part = [&](std::int64_t i) {
      return in.narrow(2, i * d, d).reshape({n, s, heads, d / heads});
    };
    const Tensor plain = twin::mix(part(0), part(1), part(2), angles, twin::causal_mask(s));
    const Tensor pull =
        at::arange(plain.numel(), at::kFloat).remainder(7).sub(3).view(plain.sizes());
    (plain * pull).sum().backward();

    const auto& k = twin::kernels().products.attention;
    const twin::attention_shape shape{static_cast<std::size_t>(s), static_cast<std::size_t>(heads),
                                      static_cast<std::size_t>(d / heads)};
    const Tensor out = at::empty_like(plain);
    const Tensor slope = at::empty_like(in);
    values log_sums(shape.slots);
    values scratch(k.scratch(shape));
    for (std::int64_t item = 0; item < n * heads; ++item) {
      const std::int64_t row = item / heads * s;
      const std::int64_t column = item % heads * (d / heads);
      const float* const from = qkv.data.data() + row * 3 * d + column;
      const auto* const cosine = angles.cosine.data_ptr<float>();
      const auto* const sine = angles.sine.data_ptr<float>();
      float* const to = out.data_ptr<float>() + row * d + column;
      k.forward(shape, from, cosine, sine, to, log_sums.data(), scratch.data());
      k.backward(shape, from, cosine, sine, to, log_sums.data(),
                 pull.data_ptr<float>() + row * d + column,
                 slope.data_ptr<float>() + row * 3 * d + column, scratch.data());
    }
    return gradient_check{(plain - out).abs().max().item<double>(),
                          (in.grad() - slope).abs().max().item<double>()};
  });
}

gradient_check compare_gelu(const shaped& x, double scale) {
  return guarded([&] {
    const c10::AutoGradMode recording(true);
    const Tensor in = (tensor_of(x) * scale).detach().requires_grad_(true);
    const Tensor plain = at::gelu(in);
    plain.sum().backward();
    values out = values_of(in.detach());
    values slope(out.size(), 1.0f);
    twin::kernels().gelu_backward(out.data(), slope.data(), out.size());
    const auto off = [](const Tensor& wanted, const values& got) {
      return (wanted - vector_of(got)).abs().max().item<double>();
    };
    return gradient_check{off(plain.reshape({-1}), out), off(in.grad().reshape({-1}), slope)};
  });
}

}  // namespace soma::model::twin_modules
