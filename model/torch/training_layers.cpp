#include "model/torch/training_layers.hpp"

#include <cstring>

namespace soma::model::twin {
namespace {

void copy_rows(const float* from, std::size_t count, float* to) {
  std::memcpy(to, from, count * sizeof(float));
}

void pack_layer(training_state& s, const layer_place& at, bool own, bool across) {
  pieces work;
  s.add_packing(work, s.inner, at.inner, own, across);
  s.add_packing(work, s.outer, at.outer, own, across);
  s.add_packing(work, s.query, at.query, own, across);
  s.add_packing(work, s.key, at.key, own, across);
  s.add_packing(work, s.value, at.value, own, across);
  s.add_packing(work, s.output, at.output, own, across);
  s.run(work);
}

void project_queries(training_state& s, const layer_place& at, const float* x, kept_layer& keep) {
  s.in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const normed = spare;
    float* const rest = spare + n * s.d;
    s.kernel.layer_norm(x + first * s.d, n, s.d, s.weight(at.norm_1), s.bias(at.norm_1), normed);
    float* const qkv = keep.qkv.get() + first * 3 * s.d;
    s.apply(normed, n, s.query, s.bias(at.query), qkv, 3 * s.d, false, rest);
    s.apply(normed, n, s.key, s.bias(at.key), qkv + s.d, 3 * s.d, false, rest);
    s.apply(normed, n, s.value, s.bias(at.value), qkv + 2 * s.d, 3 * s.d, false, rest);
  });
}

void attend(training_state& s, kept_layer& keep) {
  const attention_shape shape = s.shape();
  s.workers.run(s.attention_items(), [&](std::size_t item, std::size_t worker) {
    const std::size_t row = item / s.heads * s.slots;
    const std::size_t column = item % s.heads * shape.width;
    s.products.attention.forward(shape, keep.qkv.get() + row * 3 * s.d + column,
                                 s.angles.cosine.data_ptr<float>(), s.angles.sine.data_ptr<float>(),
                                 keep.attended.get() + row * s.d + column,
                                 keep.log_sums.get() + item * s.slots, s.scratch[worker].get());
  });
}

/// `out` null: only what the gradient needs.
void feed_forward(training_state& s, const layer_place& at, const float* x, kept_layer& keep,
                  float* out) {
  s.in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const normed = spare;
    float* const active = spare + n * s.d;
    float* const rest = active + n * s.f;
    float* const middle = keep.middle.get() + first * s.d;
    float* const inner = keep.inner.get() + first * s.f;
    copy_rows(x + first * s.d, n * s.d, middle);
    s.apply(keep.attended.get() + first * s.d, n, s.output, s.bias(at.output), middle, s.d, true,
            rest);
    s.kernel.layer_norm(middle, n, s.d, s.weight(at.norm_2), s.bias(at.norm_2), normed);
    s.apply(normed, n, s.inner, s.bias(at.inner), inner, s.f, false, rest);
    if (out == nullptr) return;
    s.kernel.gelu(inner, active, n * s.f);
    float* const to = out + first * s.d;
    copy_rows(middle, n * s.d, to);
    s.apply(active, n, s.outer, s.bias(at.outer), to, s.d, true, rest);
  });
}

/// pull -> inner_pull, middle_pull, aside (the pull on what attention gave), normed (norm_2's
/// result); keep.inner becomes GELU of itself.
void feed_forward_backward(training_state& s, const layer_place& at, kept_layer& keep) {
  s.in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const normed_pull = spare;
    float* const rest = spare + n * s.d;
    float* const sums = s.sums_of(first);
    std::fill_n(sums, s.sums.all, 0.0f);
    const float* const pull = s.pull.get() + first * s.d;
    float* const inner_pull = s.inner_pull.get() + first * s.f;
    float* const middle_pull = s.middle_pull.get() + first * s.d;
    const float* const middle = keep.middle.get() + first * s.d;
    s.apply_across(pull, s.d, n, s.outer, inner_pull, false, rest);
    s.kernel.gelu_backward(keep.inner.get() + first * s.f, inner_pull, n * s.f);
    s.apply_across(inner_pull, s.f, n, s.inner, normed_pull, false, rest);
    s.kernel.layer_norm(middle, n, s.d, s.weight(at.norm_2), s.bias(at.norm_2),
                        s.normed.get() + first * s.d);
    s.kernel.layer_norm_backward(middle, normed_pull, n, s.d, s.weight(at.norm_2), pull,
                                 middle_pull, {sums + s.sums.norm_2, sums + s.sums.norm_2 + s.d});
    s.apply_across(middle_pull, s.d, n, s.output, s.aside.get() + first * s.d, false, rest);
    s.kernel.add_columns(pull, s.d, n, s.d, sums + s.sums.outer);
    s.kernel.add_columns(inner_pull, s.f, n, s.f, sums + s.sums.inner);
    s.kernel.add_columns(middle_pull, s.d, n, s.d, sums + s.sums.output);
  });
}

void attention_backward(training_state& s, const kept_layer& keep, std::size_t item, float* spare) {
  const attention_shape shape = s.shape();
  const std::size_t row = item / s.heads * s.slots;
  const std::size_t column = item % s.heads * shape.width;
  s.products.attention.backward(
      shape, keep.qkv.get() + row * 3 * s.d + column, s.angles.cosine.data_ptr<float>(),
      s.angles.sine.data_ptr<float>(), keep.attended.get() + row * s.d + column,
      keep.log_sums.get() + item * s.slots, s.aside.get() + row * s.d + column,
      s.qkv_pull.get() + row * 3 * s.d + column, spare);
}

/// aside -> qkv_pull; the gradients of the weights behind it.
void middle_backward(training_state& s, const layer_place& at, const kept_layer& keep) {
  pieces work;
  s.add_weight_gradient(work, keep.inner.get(), s.f, s.pull.get(), s.d, s.d, at.outer.weight);
  s.add_weight_gradient(work, s.normed.get(), s.d, s.inner_pull.get(), s.f, s.f, at.inner.weight);
  s.add_weight_gradient(work, keep.attended.get(), s.d, s.middle_pull.get(), s.d, s.d,
                        at.output.weight);
  for (std::size_t item = 0; item < s.attention_items(); ++item) {
    work.push_back([&s, &keep, item](float* spare) { attention_backward(s, keep, item, spare); });
  }
  s.run(work);
}

/// qkv_pull, middle_pull -> pull, normed (norm_1's result).
void queries_backward(training_state& s, const layer_place& at, const float* x) {
  s.in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const normed_pull = spare;
    float* const rest = spare + n * s.d;
    float* const sums = s.sums_of(first);
    const float* const qkv_pull = s.qkv_pull.get() + first * 3 * s.d;
    const float* const from = x + first * s.d;
    s.apply_across(qkv_pull, 3 * s.d, n, s.query, normed_pull, false, rest);
    s.apply_across(qkv_pull + s.d, 3 * s.d, n, s.key, normed_pull, true, rest);
    s.apply_across(qkv_pull + 2 * s.d, 3 * s.d, n, s.value, normed_pull, true, rest);
    s.kernel.layer_norm(from, n, s.d, s.weight(at.norm_1), s.bias(at.norm_1),
                        s.normed.get() + first * s.d);
    s.kernel.layer_norm_backward(from, normed_pull, n, s.d, s.weight(at.norm_1),
                                 s.middle_pull.get() + first * s.d, s.pull.get() + first * s.d,
                                 {sums + s.sums.norm_1, sums + s.sums.norm_1 + s.d});
    s.kernel.add_columns(qkv_pull, 3 * s.d, n, 3 * s.d, sums + s.sums.qkv);
  });
}

void weights_of_queries_backward(training_state& s, const layer_place& at) {
  pieces work;
  const affine_place* const parts[] = {&at.query, &at.key, &at.value};
  for (std::size_t i = 0; i < 3; ++i) {
    s.add_weight_gradient(work, s.normed.get(), s.d, s.qkv_pull.get() + i * s.d, 3 * s.d, s.d,
                          parts[i]->weight);
    s.add_sums(work, s.sums.qkv + i * s.d, s.d, parts[i]->bias);
  }
  s.add_sums(work, s.sums.outer, s.d, at.outer.bias);
  s.add_sums(work, s.sums.inner, s.f, at.inner.bias);
  s.add_sums(work, s.sums.norm_2, s.d, at.norm_2.weight);
  s.add_sums(work, s.sums.norm_2 + s.d, s.d, at.norm_2.bias);
  s.add_sums(work, s.sums.output, s.d, at.output.bias);
  s.add_sums(work, s.sums.norm_1, s.d, at.norm_1.weight);
  s.add_sums(work, s.sums.norm_1 + s.d, s.d, at.norm_1.bias);
  s.run(work);
}

}  // namespace

void layer_forward(training_state& s, std::size_t layer) {
  const layer_place& at = s.place.layers[layer];
  kept_layer& keep = s.kept_of(layer);
  pack_layer(s, at, true, false);
  project_queries(s, at, s.x[layer].get(), keep);
  attend(s, keep);
  feed_forward(s, at, s.x[layer].get(), keep, s.x[layer + 1].get());
}

void layer_backward(training_state& s, std::size_t layer) {
  const layer_place& at = s.place.layers[layer];
  kept_layer& keep = s.kept_of(layer);
  pack_layer(s, at, s.recompute, true);
  if (s.recompute) {
    project_queries(s, at, s.x[layer].get(), keep);
    attend(s, keep);
    feed_forward(s, at, s.x[layer].get(), keep, nullptr);
  }
  feed_forward_backward(s, at, keep);
  middle_backward(s, at, keep);
  queries_backward(s, at, s.x[layer].get());
  weights_of_queries_backward(s, at);
}

}  // namespace soma::model::twin
