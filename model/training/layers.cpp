#include "model/training/layers.hpp"

#include <cstring>

#include "messages/values/assert.hpp"

namespace soma::training {
namespace {

void copy_rows(const float* from, std::size_t count, float* to) {
  std::memcpy(to, from, count * sizeof(float));
}

void pack_layer(training_state& s, const layer_offsets& at, bool packed, bool transposed) {
  job_list work;
  s.add_packing(work, s.inner, at.inner, packed, transposed);
  s.add_packing(work, s.outer, at.outer, packed, transposed);
  s.add_packing(work, s.query, at.query, packed, transposed);
  s.add_packing(work, s.key, at.key, packed, transposed);
  s.add_packing(work, s.value, at.value, packed, transposed);
  s.add_packing(work, s.output, at.output, packed, transposed);
  s.run(work);
}

/// Computes qkv = norm_1(x) * the three weights + biases.
void project_qkv(training_state& s, const layer_offsets& at, const float* x,
                 layer_activations& act) {
  s.in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const normalized = spare;
    float* const rest = spare + n * s.d;
    s.kernel.layer_norm(x + first * s.d, n, s.d, s.weight(at.norm_1), s.bias(at.norm_1),
                        normalized);
    float* const qkv = act.qkv.data() + first * 3 * s.d;
    s.apply(normalized, n, s.query, s.bias(at.query), qkv, 3 * s.d, false, rest);
    s.apply(normalized, n, s.key, s.bias(at.key), qkv + s.d, 3 * s.d, false, rest);
    s.apply(normalized, n, s.value, s.bias(at.value), qkv + 2 * s.d, 3 * s.d, false, rest);
  });
}

/// The offsets of the matrices of one attention job, which is one head of one sequence.
struct attention_place {
  std::size_t qkv, out, log_sum_exp;
};
attention_place place_of(const training_state& s, std::size_t job) {
  const std::size_t row = job / s.heads * s.length;
  const std::size_t column = job % s.heads * (s.d / s.heads);
  return {row * 3 * s.d + column, row * s.d + column, job * s.length};
}

void attend(training_state& s, layer_activations& act) {
  s.workers.run(s.attention_jobs(), [&](std::size_t job, std::size_t worker) {
    const attention_place at = place_of(s, job);
    s.products.attention.forward(s.shape(), act.qkv.data() + at.qkv, s.angles.cosine.data(),
                                 s.angles.sine.data(), act.attended.data() + at.out,
                                 act.log_sum_exp.data() + at.log_sum_exp, s.scratch[worker].data());
  });
}

/// residual = x + output projection of attention; out = residual + the feed-forward part. When
/// `out` is null, only the values that the gradient needs are computed.
void feed_forward(training_state& s, const layer_offsets& at, const float* x,
                  layer_activations& act, float* out) {
  s.in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const normalized = spare;
    float* const activated = spare + n * s.d;
    float* const rest = activated + n * s.f;
    float* const residual = act.residual.data() + first * s.d;
    float* const hidden = act.hidden.data() + first * s.f;
    copy_rows(x + first * s.d, n * s.d, residual);
    s.apply(act.attended.data() + first * s.d, n, s.output, s.bias(at.output), residual, s.d, true,
            rest);
    s.kernel.layer_norm(residual, n, s.d, s.weight(at.norm_2), s.bias(at.norm_2), normalized);
    s.apply(normalized, n, s.inner, s.bias(at.inner), hidden, s.f, false, rest);
    if (out == nullptr) return;
    s.kernel.gelu(hidden, activated, n * s.f);
    float* const to = out + first * s.d;
    copy_rows(residual, n * s.d, to);
    s.apply(activated, n, s.outer, s.bias(at.outer), to, s.d, true, rest);
  });
}

/// Computes d_hidden, d_residual and d_attended from d_x. Leaves norm_2's result in s.normalized,
/// and GELU of the hidden activations in their place, because the weight gradients need both.
void feed_forward_backward(training_state& s, const layer_offsets& at, layer_activations& act) {
  s.in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const d_normalized = spare;
    float* const rest = spare + n * s.d;
    float* const sums = s.sums_of(first);
    std::fill_n(sums, s.sums.all, 0.0f);
    const float* const d_x = s.d_x.data() + first * s.d;
    float* const d_hidden = s.d_hidden.data() + first * s.f;
    float* const d_residual = s.d_residual.data() + first * s.d;
    const float* const residual = act.residual.data() + first * s.d;
    s.apply_transposed(d_x, s.d, n, s.outer, d_hidden, false, rest);
    s.kernel.gelu_backward(act.hidden.data() + first * s.f, d_hidden, n * s.f);
    s.apply_transposed(d_hidden, s.f, n, s.inner, d_normalized, false, rest);
    s.kernel.layer_norm(residual, n, s.d, s.weight(at.norm_2), s.bias(at.norm_2),
                        s.normalized.data() + first * s.d);
    s.kernel.layer_norm_backward(residual, d_normalized, n, s.d, s.weight(at.norm_2), d_x,
                                 d_residual, {sums + s.sums.norm_2, sums + s.sums.norm_2 + s.d});
    s.apply_transposed(d_residual, s.d, n, s.output, s.d_attended.data() + first * s.d, false,
                       rest);
    s.kernel.add_column_sums(d_x, s.d, n, s.d, sums + s.sums.outer);
    s.kernel.add_column_sums(d_hidden, s.f, n, s.f, sums + s.sums.inner);
    s.kernel.add_column_sums(d_residual, s.d, n, s.d, sums + s.sums.output);
  });
}

void attention_backward(training_state& s, const layer_activations& act, std::size_t job,
                        float* spare) {
  const attention_place at = place_of(s, job);
  s.products.attention.backward(s.shape(), act.qkv.data() + at.qkv, s.angles.cosine.data(),
                                s.angles.sine.data(), act.attended.data() + at.out,
                                act.log_sum_exp.data() + at.log_sum_exp,
                                s.d_attended.data() + at.out, s.d_qkv.data() + at.qkv, spare);
}

/// Computes d_qkv from d_attended, and the gradients of the outer, inner and output weights. All of
/// these jobs can run at the same time.
void attention_and_weights_backward(training_state& s, const layer_offsets& at,
                                    const layer_activations& act) {
  job_list work;
  s.add_weight_gradient(work, act.hidden.data(), s.f, s.d_x.data(), s.d, s.d, at.outer.weight);
  s.add_weight_gradient(work, s.normalized.data(), s.d, s.d_hidden.data(), s.f, s.f,
                        at.inner.weight);
  s.add_weight_gradient(work, act.attended.data(), s.d, s.d_residual.data(), s.d, s.d,
                        at.output.weight);
  for (std::size_t job = 0; job < s.attention_jobs(); ++job) {
    work.push_back([&s, &act, job](float* spare) { attention_backward(s, act, job, spare); });
  }
  s.run(work);
}

/// Computes d_x from d_qkv and d_residual. Leaves norm_1's result in s.normalized.
void qkv_backward(training_state& s, const layer_offsets& at, const float* x) {
  s.in_tiles([&](std::size_t first, std::size_t n, float* spare) {
    float* const d_normalized = spare;
    float* const rest = spare + n * s.d;
    float* const sums = s.sums_of(first);
    const float* const d_qkv = s.d_qkv.data() + first * 3 * s.d;
    const float* const from = x + first * s.d;
    s.apply_transposed(d_qkv, 3 * s.d, n, s.query, d_normalized, false, rest);
    s.apply_transposed(d_qkv + s.d, 3 * s.d, n, s.key, d_normalized, true, rest);
    s.apply_transposed(d_qkv + 2 * s.d, 3 * s.d, n, s.value, d_normalized, true, rest);
    s.kernel.layer_norm(from, n, s.d, s.weight(at.norm_1), s.bias(at.norm_1),
                        s.normalized.data() + first * s.d);
    s.kernel.layer_norm_backward(from, d_normalized, n, s.d, s.weight(at.norm_1),
                                 s.d_residual.data() + first * s.d, s.d_x.data() + first * s.d,
                                 {sums + s.sums.norm_1, sums + s.sums.norm_1 + s.d});
    s.kernel.add_column_sums(d_qkv, 3 * s.d, n, 3 * s.d, sums + s.sums.qkv);
  });
}

/// Computes the gradients of the query, key and value weights, and of all biases and norms of the
/// layer.
void qkv_weights_backward(training_state& s, const layer_offsets& at) {
  job_list work;
  const affine_offsets* const parts[] = {&at.query, &at.key, &at.value};
  for (std::size_t i = 0; i < 3; ++i) {
    s.add_weight_gradient(work, s.normalized.data(), s.d, s.d_qkv.data() + i * s.d, 3 * s.d, s.d,
                          parts[i]->weight);
    s.add_tile_sums(work, s.sums.qkv + i * s.d, s.d, parts[i]->bias);
  }
  s.add_tile_sums(work, s.sums.outer, s.d, at.outer.bias);
  s.add_tile_sums(work, s.sums.inner, s.f, at.inner.bias);
  s.add_tile_sums(work, s.sums.norm_2, s.d, at.norm_2.weight);
  s.add_tile_sums(work, s.sums.norm_2 + s.d, s.d, at.norm_2.bias);
  s.add_tile_sums(work, s.sums.output, s.d, at.output.bias);
  s.add_tile_sums(work, s.sums.norm_1, s.d, at.norm_1.weight);
  s.add_tile_sums(work, s.sums.norm_1 + s.d, s.d, at.norm_1.bias);
  s.run(work);
}

}  // namespace

void layer_forward(training_state& s, std::size_t layer) {
  SOMA_ASSERT(layer < s.layers && s.parameters != nullptr, "a layer of the step that has begun");
  const layer_offsets& at = s.offsets.layers[layer];
  layer_activations& act = s.activations_of(layer);
  pack_layer(s, at, true, false);
  project_qkv(s, at, s.x[layer].data(), act);
  attend(s, act);
  feed_forward(s, at, s.x[layer].data(), act, s.x[layer + 1].data());
}

void layer_backward(training_state& s, std::size_t layer) {
  SOMA_ASSERT(layer < s.layers && s.gradients != nullptr, "a layer of the step that has begun");
  const layer_offsets& at = s.offsets.layers[layer];
  layer_activations& act = s.activations_of(layer);
  pack_layer(s, at, s.recompute, true);
  if (s.recompute) {
    project_qkv(s, at, s.x[layer].data(), act);
    attend(s, act);
    feed_forward(s, at, s.x[layer].data(), act, nullptr);
  }
  feed_forward_backward(s, at, act);
  attention_and_weights_backward(s, at, act);
  qkv_backward(s, at, s.x[layer].data());
  qkv_weights_backward(s, at);
}

}  // namespace soma::training
