#include "model/reference/modules.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <numeric>

#include "model/reference/boundary.hpp"
#include "model/reference/network.hpp"
#include "model/reference/threads.hpp"
#include "model/training/kernels.hpp"

namespace soma::reference {
namespace {

using at::Tensor;

Tensor tensor_of(const plain_values& data, const std::vector<std::int64_t>& shape) {
  return at::from_blob(const_cast<float*>(data.data()), shape, at::kFloat).clone();
}
Tensor tensor_of(const plain_tensor& x) {
  return tensor_of(x.data, x.shape);
}
Tensor vector_of(const plain_values& data) {
  return tensor_of(data, {static_cast<std::int64_t>(data.size())});
}

plain_values values_of(const Tensor& t) {
  const Tensor c = t.contiguous();
  return {c.data_ptr<float>(), c.data_ptr<float>() + c.numel()};
}

rotary angles_for(std::int64_t length, std::int64_t head_dim, std::uint32_t first) {
  std::vector<std::uint32_t> positions(static_cast<std::size_t>(length));
  std::iota(positions.begin(), positions.end(), first);
  return make_rotary(positions, 1, head_dim);
}

attention_weights attention_of(const plain_tensors& w) {
  const auto part = [&w](const std::string& name) {
    return affine{tensor_of(w.at(name + ".weight")), tensor_of(w.at(name + ".bias"))};
  };
  return {part("query"), part("key"), part("value"), part("output")};
}

template <class Work>
auto guarded(Work&& work) {
  return at_boundary([&] {
    configure_threads_by_default();
    const c10::AutoGradMode autograd(false);
    return work();
  });
}

}  // namespace

plain_values layer_norm(const plain_tensor& x, const plain_values& gamma,
                        const plain_values& beta) {
  return guarded([&] {
    return values_of(layer_norm(tensor_of(x), {vector_of(gamma), vector_of(beta)}));
  });
}

plain_values linear(const plain_tensor& x, const plain_tensor& weight, const plain_values& bias) {
  return guarded([&] {
    return values_of(linear(tensor_of(x), {tensor_of(weight), vector_of(bias)}));
  });
}

plain_values embed(const std::vector<std::int64_t>& ids, const plain_tensor& table) {
  return guarded([&] {
    Tensor which = at::empty({static_cast<std::int64_t>(ids.size())}, at::kLong);
    std::copy(ids.begin(), ids.end(), which.data_ptr<std::int64_t>());
    return values_of(at::embedding(tensor_of(table), which));
  });
}

plain_values feed_forward(const plain_tensor& x, const plain_tensor& inner,
                          const plain_values& inner_bias, const plain_tensor& outer,
                          const plain_values& outer_bias) {
  return guarded([&] {
    return values_of(feed_forward(tensor_of(x), {tensor_of(inner), vector_of(inner_bias)},
                                  {tensor_of(outer), vector_of(outer_bias)}));
  });
}

plain_values rotate(const plain_tensor& x, std::uint32_t first) {
  return guarded(
      [&] { return values_of(rotate(tensor_of(x), angles_for(x.shape[1], x.shape[3], first))); });
}

plain_values attention(const plain_tensor& x, const plain_tensors& weights, std::int64_t heads) {
  return guarded([&] {
    return values_of(attention(tensor_of(x), attention_of(weights), heads,
                               angles_for(x.shape[1], x.shape[2] / heads, 0),
                               causal_mask(x.shape[1])));
  });
}

network_outputs run_network(const plain_tensor& hidden, const plain_tensors& weights,
                            std::int64_t layers, std::int64_t heads) {
  return guarded([&] {
    const auto net = make_network(layers, heads, [&](const std::string& name) {
      const auto found = weights.find(name);
      return found == weights.end() ? Tensor() : tensor_of(found->second);
    });
    network_outputs result;
    const Tensor x = encode_layers(tensor_of(hidden), net,
                                   angles_for(hidden.shape[1], hidden.shape[2] / heads, 0),
                                   causal_mask(hidden.shape[1]));
    result.encoded = values_of(x);
    if (!net.final_norm.weight.defined()) return result;
    const Tensor y = layer_norm(x, net.final_norm);
    result.representation = values_of(y);
    result.logits = values_of(linear(y, net.predictor));
    return result;
  });
}

double sigreg(const plain_tensor& x, const plain_tensor& noise, std::int64_t points) {
  return guarded([&] {
    const Tensor y = tensor_of(x).reshape({-1, x.shape.back()});
    return sigreg_sum(y, directions(tensor_of(noise)), points) / static_cast<double>(y.size(0));
  });
}

gradient_check compare_attention(const plain_tensor& qkv, std::int64_t heads) {
  return guarded([&] {
    const std::int64_t n = qkv.shape[0];
    const std::int64_t s = qkv.shape[1];
    const std::int64_t d = qkv.shape[2] / 3;
    const auto angles = angles_for(s, d / heads, 0);
    const c10::AutoGradMode autograd(true);
    const Tensor in = tensor_of(qkv).requires_grad_(true);
    const auto part = [&](std::int64_t i) {
      return in.narrow(2, i * d, d).reshape({n, s, heads, d / heads});
    };
    const Tensor expected =
        scaled_dot_product_attention(part(0), part(1), part(2), angles, causal_mask(s));
    const Tensor d_out =
        at::arange(expected.numel(), at::kFloat).remainder(7).sub(3).view(expected.sizes());
    (expected * d_out).sum().backward();

    const auto& k = training::kernels().products.attention;
    const training::attention_shape shape{static_cast<std::size_t>(s),
                                          static_cast<std::size_t>(heads),
                                          static_cast<std::size_t>(d / heads)};
    const Tensor out = at::empty_like(expected);
    const Tensor d_in = at::empty_like(in);
    plain_values log_sum_exp(shape.length);
    plain_values scratch(k.scratch(shape));
    for (std::int64_t head = 0; head < n * heads; ++head) {
      const std::int64_t row = head / heads * s;
      const std::int64_t column = head % heads * (d / heads);
      const float* const from = qkv.data.data() + row * 3 * d + column;
      const auto* const cosine = angles.cosine.data_ptr<float>();
      const auto* const sine = angles.sine.data_ptr<float>();
      float* const to = out.data_ptr<float>() + row * d + column;
      k.forward(shape, from, cosine, sine, to, log_sum_exp.data(), scratch.data());
      k.backward(shape, from, cosine, sine, to, log_sum_exp.data(),
                 d_out.data_ptr<float>() + row * d + column,
                 d_in.data_ptr<float>() + row * 3 * d + column, scratch.data());
    }
    return gradient_check{(expected - out).abs().max().item<double>(),
                          (in.grad() - d_in).abs().max().item<double>()};
  });
}

gradient_check compare_gelu(const plain_tensor& x, double scale) {
  return guarded([&] {
    const c10::AutoGradMode autograd(true);
    const Tensor in = (tensor_of(x) * scale).detach().requires_grad_(true);
    const Tensor expected = at::gelu(in);
    expected.sum().backward();
    plain_values out = values_of(in.detach());
    plain_values d_in(out.size(), 1.0f);
    training::kernels().gelu_backward(out.data(), d_in.data(), out.size());
    const auto largest_difference = [](const Tensor& wanted, const plain_values& got) {
      return (wanted - vector_of(got)).abs().max().item<double>();
    };
    return gradient_check{largest_difference(expected.reshape({-1}), out),
                          largest_difference(in.grad().reshape({-1}), d_in)};
  });
}

}  // namespace soma::reference
