#include "model/torch/fused_network.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include "model/torch/kernels.hpp"

namespace soma::model::twin {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// qkv [T, 3D], cosine and sine [N or 1, S, 1, W/2] -> [T, D]
struct causal_attention : torch::autograd::Function<causal_attention> {
  static attention_shape shape_of(const Tensor& qkv, const Tensor& cosine, std::int64_t heads) {
    const auto slots = static_cast<std::size_t>(cosine.size(1));
    return {static_cast<std::size_t>(qkv.size(0)) / slots, slots, static_cast<std::size_t>(heads),
            static_cast<std::size_t>(qkv.size(1) / 3 / heads),
            static_cast<std::size_t>(cosine.size(0))};
  }

  static Tensor forward(AutogradContext* context, const Tensor& qkv, const Tensor& cosine,
                        const Tensor& sine, std::int64_t heads) {
    const auto shape = shape_of(qkv, cosine, heads);
    const Tensor out = at::empty({qkv.size(0), qkv.size(1) / 3}, at::kFloat);
    const Tensor log_sums = at::empty({qkv.size(0) * heads}, at::kFloat);
    const Tensor scratch =
        at::empty({static_cast<std::int64_t>(kernels().attention_scratch(shape))}, at::kFloat);
    kernels().attention_forward(shape, qkv.data_ptr<float>(), cosine.data_ptr<float>(),
                                sine.data_ptr<float>(), out.data_ptr<float>(),
                                log_sums.data_ptr<float>(), scratch.data_ptr<float>());
    context->save_for_backward({qkv, cosine, sine, out, log_sums});
    context->saved_data["heads"] = heads;
    return out;
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor& qkv = saved[0];
    const auto shape = shape_of(qkv, saved[1], context->saved_data["heads"].toInt());
    const Tensor pull = gradients[0].contiguous();
    Tensor result = at::empty_like(qkv);
    const Tensor scratch =
        at::empty({static_cast<std::int64_t>(kernels().attention_scratch(shape))}, at::kFloat);
    kernels().attention_backward(shape, qkv.data_ptr<float>(), saved[1].data_ptr<float>(),
                                 saved[2].data_ptr<float>(), saved[3].data_ptr<float>(),
                                 saved[4].data_ptr<float>(), pull.data_ptr<float>(),
                                 result.data_ptr<float>(), scratch.data_ptr<float>());
    return {result, Tensor(), Tensor(), Tensor()};
  }
};

struct fused_gelu : torch::autograd::Function<fused_gelu> {
  static Tensor forward(AutogradContext* context, const Tensor& x) {
    const Tensor from = x.contiguous();
    const Tensor y = at::empty_like(from);
    const Tensor slope = at::empty_like(from);
    kernels().gelu(from.data_ptr<float>(), y.data_ptr<float>(), slope.data_ptr<float>(),
                   static_cast<std::size_t>(from.numel()));
    context->save_for_backward({slope});
    return y;
  }
  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    return {gradients[0] * context->get_saved_variables()[0]};
  }
};

Tensor attention_of_rows(const Tensor& x, const attention_weights& weights, std::int64_t heads,
                         const rotary& angles) {
  const Tensor weight =
      at::cat({weights.query.weight, weights.key.weight, weights.value.weight}, 1);
  const Tensor bias = at::cat({weights.query.bias, weights.key.bias, weights.value.bias});
  return linear(
      causal_attention::apply(at::addmm(bias, x, weight), angles.cosine, angles.sine, heads),
      weights.output);
}

}  // namespace

Tensor attention_fused(const Tensor& x, const attention_weights& weights, std::int64_t heads,
                       const rotary& angles) {
  return attention_of_rows(x.reshape({-1, x.size(-1)}), weights, heads, angles);
}

Tensor gelu_fused(const Tensor& x) {
  return fused_gelu::apply(x);
}

Tensor represent_fused(const Tensor& ids, const network& net, const rotary& angles) {
  Tensor x = at::embedding(net.embedding, ids.reshape({-1}));
  for (const auto& layer : net.layers) {
    x = x + attention_of_rows(layer_norm(x, layer.norm_1), layer.attention, net.heads, angles);
    x = x + linear(gelu_fused(linear(layer_norm(x, layer.norm_2), layer.inner)), layer.outer);
  }
  return layer_norm(x, net.final_norm);
}

}  // namespace soma::model::twin
