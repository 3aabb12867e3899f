// The body of the kernels, compiled once for each instruction set with SOMA_KERNEL_SET naming the
// result. No standard header with inline functions comes in here: the linker would keep one copy,
// compiled for a processor that may not be this one. Everything is in vectors of sixteen floats
// that the compiler cuts to the machine's width.
#include "model/torch/kernels.hpp"

namespace soma::model::twin {
namespace {

using std::size_t;
typedef float vec __attribute__((vector_size(64)));
typedef int ivec __attribute__((vector_size(64)));
typedef vec loose_vec __attribute__((aligned(4), may_alias));  // may stand anywhere in floats

#define SOMA_INLINE [[gnu::always_inline]] inline

constexpr size_t lanes = 16;
constexpr size_t group =
    8;  // query rows at a time: independent sums that hide each other's latency

SOMA_INLINE vec load(const float* at) {
  return *reinterpret_cast<const loose_vec*>(at);
}
SOMA_INLINE void store(float* at, vec value) {
  *reinterpret_cast<loose_vec*>(at) = value;
}
SOMA_INLINE vec all(float value) {
  return vec{} + value;
}
SOMA_INLINE vec larger(vec a, vec b) {
  return a > b ? a : b;
}
SOMA_INLINE float sum_of(vec v) {
  float sum = 0;
  for (size_t l = 0; l < lanes; ++l) sum += v[l];
  return sum;
}
SOMA_INLINE float largest_of(vec v) {
  float best = v[0];
  for (size_t l = 1; l < lanes; ++l) best = v[l] > best ? v[l] : best;
  return best;
}

/// e^x for x <= 88; anything below -87 is as good as zero.
SOMA_INLINE vec exp_of(vec x) {
  x = larger(x, all(-87.0f));
  const vec shift = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to whole numbers
  const vec shifted = x * 1.44269504f + shift;
  const vec whole = shifted - shift;
  const vec r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  vec p = all(1.0f / 720);
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const ivec power = (reinterpret_cast<ivec>(shifted) << 23) + 0x3f800000;
  return p * reinterpret_cast<vec>(power);
}

SOMA_INLINE float log_of(float x) {
  return __builtin_logf(x);
}

SOMA_INLINE size_t padded(size_t count) {
  return (count + lanes - 1) / lanes * lanes;
}

/// Buffers of one head of one sequence, zero beyond S and W.
struct head_buffers {
  size_t s, w;                 // padded
  float *q, *k, *v;            // [s][w], q rotated and scaled, k rotated
  float *k_across, *v_across;  // [w][s]
  float *scores, *slopes;      // [group][s]
  float *dq, *dk, *dv, *go;    // [s][w]
};

SOMA_INLINE head_buffers carve(const attention_shape& a, float* scratch) {
  head_buffers b{};
  b.s = padded(a.slots);
  b.w = padded(a.width);
  const size_t area = b.s * b.w;
  float** const areas[] = {&b.q, &b.k, &b.v, &b.k_across, &b.v_across, &b.dq, &b.dk, &b.dv, &b.go};
  for (float** place : areas) {
    *place = scratch;
    scratch += area;
  }
  b.scores = scratch;
  b.slopes = scratch + group * b.s;
  return b;
}

size_t attention_scratch(const attention_shape& a) {
  return padded(a.slots) * (9 * padded(a.width) + 2 * group);
}

SOMA_INLINE void zero(float* at, size_t count) {
  for (size_t i = 0; i < count; ++i) at[i] = 0;
}

/// Takes one head out of qkv: rotates queries and keys, scales queries, and keeps keys and values
/// in both layouts.
void take_head(const attention_shape& a, const head_buffers& b, const float* qkv,
               const float* cosine, const float* sine, float scale) {
  const size_t stride = 3 * a.heads * a.width;
  const size_t half = a.width / 2;
  for (size_t i = 0; i < a.slots; ++i) {
    const float* q = qkv + i * stride;
    const float* k = q + a.heads * a.width;
    const float* v = k + a.heads * a.width;
    for (size_t j = 0; j < half; ++j) {
      const float c = cosine[i * half + j];
      const float s = sine[i * half + j];
      b.q[i * b.w + j] = (q[j] * c - q[j + half] * s) * scale;
      b.q[i * b.w + j + half] = (q[j + half] * c + q[j] * s) * scale;
      b.k[i * b.w + j] = k[j] * c - k[j + half] * s;
      b.k[i * b.w + j + half] = k[j + half] * c + k[j] * s;
    }
    for (size_t j = 0; j < a.width; ++j) {
      b.v[i * b.w + j] = v[j];
      b.k_across[j * b.s + i] = b.k[i * b.w + j];
      b.v_across[j * b.s + i] = v[j];
    }
  }
}

/// out[r][j] = rows[r] . columns[.][j] for one group of rows and the first `count` columns.
SOMA_INLINE void multiply_group(const float* rows, size_t row_stride, const float* across,
                                size_t depth, size_t s, size_t count, float* out) {
  for (size_t j = 0; j < count; j += lanes) {
    vec sum[group] = {};
    for (size_t w = 0; w < depth; ++w) {
      const vec column = load(across + w * s + j);
      for (size_t r = 0; r < group; ++r) sum[r] += column * rows[r * row_stride + w];
    }
    for (size_t r = 0; r < group; ++r) store(out + r * s + j, sum[r]);
  }
}

/// sums[r][w] = sum over j < count of weights[r][j] * values[j][w]
SOMA_INLINE void weigh_group(const float* weights, size_t s, const float* values, size_t w,
                             size_t count, float* sums) {
  for (size_t c = 0; c < w; c += lanes) {
    vec sum[group] = {};
    for (size_t j = 0; j < count; ++j) {
      const vec value = load(values + j * w + c);
      for (size_t r = 0; r < group; ++r) sum[r] += value * weights[r * s + j];
    }
    for (size_t r = 0; r < group; ++r) store(sums + r * w + c, sum[r]);
  }
}

SOMA_INLINE vec lane_numbers() {
  return vec{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
}

/// Row i of scores becomes probabilities over j <= i; returns the logarithm of the denominator.
SOMA_INLINE float soften(float* row, size_t i, size_t count) {
  vec best = all(-3.0e38f);
  for (size_t j = 0; j < count; j += lanes) {
    const vec at = lane_numbers() + static_cast<float>(j);
    const vec score = at <= all(static_cast<float>(i)) ? load(row + j) : all(-3.0e38f);
    store(row + j, score);
    best = larger(best, score);
  }
  const float top = largest_of(best);
  vec sum = {};
  for (size_t j = 0; j < count; j += lanes) {
    const vec at = lane_numbers() + static_cast<float>(j);
    const vec e = at <= all(static_cast<float>(i)) ? exp_of(load(row + j) - top) : vec{};
    store(row + j, e);
    sum += e;
  }
  const float total = sum_of(sum);
  const float share = 1.0f / total;
  for (size_t j = 0; j < count; j += lanes) store(row + j, load(row + j) * share);
  return top + log_of(total);
}

void attention_forward(const attention_shape& a, const float* qkv, const float* cosine,
                       const float* sine, float* out, float* log_sums, float* scratch) {
  const head_buffers b = carve(a, scratch);
  zero(scratch, attention_scratch(a));
  const size_t d = a.heads * a.width;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(a.width));
  const size_t turn = a.angle_rows == 1 ? 0 : a.slots * a.width / 2;
  for (size_t n = 0; n < a.rows; ++n, cosine += turn, sine += turn) {
    for (size_t h = 0; h < a.heads; ++h) {
      take_head(a, b, qkv + n * a.slots * 3 * d + h * a.width, cosine, sine, scale);
      float* const sums = log_sums + (n * a.heads + h) * a.slots;
      for (size_t first = 0; first < a.slots; first += group) {
        const size_t count = padded(first + group < a.slots ? first + group : a.slots);
        multiply_group(b.q + first * b.w, b.w, b.k_across, a.width, b.s, count, b.scores);
        for (size_t r = 0; r < group && first + r < a.slots; ++r) {
          sums[first + r] = soften(b.scores + r * b.s, first + r, count);
        }
        weigh_group(b.scores, b.s, b.v, b.w, count, b.dq);
        for (size_t r = 0; r < group && first + r < a.slots; ++r) {
          float* const to = out + (n * a.slots + first + r) * d + h * a.width;
          for (size_t w = 0; w < a.width; ++w) to[w] = b.dq[r * b.w + w];
        }
      }
    }
  }
}

/// scores: probabilities again from the saved denominators; slopes: the gradient of the scores.
SOMA_INLINE void slope_group(const head_buffers& b, size_t first, size_t rows, size_t count,
                             const float* log_sums, const float* pulls) {
  for (size_t r = 0; r < group; ++r) {
    const bool real = r < rows;
    const float log_sum = real ? log_sums[first + r] : 0.0f;
    const float pull = real ? pulls[r] : 0.0f;
    const vec last = all(real ? static_cast<float>(first + r) : -1.0f);
    for (size_t j = 0; j < count; j += lanes) {
      const vec at = lane_numbers() + static_cast<float>(j);
      const vec p = at <= last ? exp_of(load(b.scores + r * b.s + j) - log_sum) : vec{};
      store(b.scores + r * b.s + j, p);
      store(b.slopes + r * b.s + j, p * (load(b.slopes + r * b.s + j) - pull));
    }
  }
}

/// grown[j][w] += sum over r of weights[r][j] * rows[r][w]
SOMA_INLINE void spread_group(const float* weights, size_t s, const float* rows, size_t w,
                              size_t count, float* grown) {
  for (size_t c = 0; c < w; c += lanes) {
    vec row[group];
    for (size_t r = 0; r < group; ++r) row[r] = load(rows + r * w + c);
    for (size_t j = 0; j < count; ++j) {
      vec sum = load(grown + j * w + c);
      for (size_t r = 0; r < group; ++r) sum += row[r] * weights[r * s + j];
      store(grown + j * w + c, sum);
    }
  }
}

/// Puts one head's gradients back: turns them back by the same angles.
void give_head(const attention_shape& a, const head_buffers& b, float* qkv, const float* cosine,
               const float* sine, float scale) {
  const size_t stride = 3 * a.heads * a.width;
  const size_t half = a.width / 2;
  for (size_t i = 0; i < a.slots; ++i) {
    float* q = qkv + i * stride;
    float* k = q + a.heads * a.width;
    float* v = k + a.heads * a.width;
    const float* dq = b.dq + i * b.w;
    const float* dk = b.dk + i * b.w;
    for (size_t j = 0; j < half; ++j) {
      const float c = cosine[i * half + j];
      const float s = sine[i * half + j];
      q[j] = (dq[j] * c + dq[j + half] * s) * scale;
      q[j + half] = (dq[j + half] * c - dq[j] * s) * scale;
      k[j] = dk[j] * c + dk[j + half] * s;
      k[j + half] = dk[j + half] * c - dk[j] * s;
    }
    for (size_t j = 0; j < a.width; ++j) v[j] = b.dv[i * b.w + j];
  }
}

void attention_backward(const attention_shape& a, const float* qkv, const float* cosine,
                        const float* sine, const float* out, const float* log_sums,
                        const float* out_gradient, float* qkv_gradient, float* scratch) {
  const head_buffers b = carve(a, scratch);
  zero(scratch, attention_scratch(a));
  const size_t d = a.heads * a.width;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(a.width));
  const size_t turn = a.angle_rows == 1 ? 0 : a.slots * a.width / 2;
  for (size_t n = 0; n < a.rows; ++n, cosine += turn, sine += turn) {
    for (size_t h = 0; h < a.heads; ++h) {
      const size_t place = n * a.slots * 3 * d + h * a.width;
      take_head(a, b, qkv + place, cosine, sine, scale);
      zero(b.dk, b.s * b.w);
      zero(b.dv, b.s * b.w);
      const float* const sums = log_sums + (n * a.heads + h) * a.slots;
      for (size_t first = 0; first < a.slots; first += group) {
        const size_t rows = first + group < a.slots ? group : a.slots - first;
        const size_t count = padded(first + rows);
        float* const go = b.go + first * b.w;
        float pulls[group] = {};
        for (size_t r = 0; r < rows; ++r) {
          const size_t from = (n * a.slots + first + r) * d + h * a.width;
          for (size_t w = 0; w < a.width; ++w) {
            go[r * b.w + w] = out_gradient[from + w];
            pulls[r] += out_gradient[from + w] * out[from + w];
          }
        }
        multiply_group(b.q + first * b.w, b.w, b.k_across, a.width, b.s, count, b.scores);
        multiply_group(go, b.w, b.v_across, a.width, b.s, count, b.slopes);
        slope_group(b, first, rows, count, sums, pulls);
        weigh_group(b.slopes, b.s, b.k, b.w, count, b.dq + first * b.w);
        spread_group(b.slopes, b.s, b.q + first * b.w, b.w, count, b.dk);
        spread_group(b.scores, b.s, go, b.w, count, b.dv);
      }
      give_head(a, b, qkv_gradient + place, cosine, sine, scale);
    }
  }
}

/// Phi by erf of Abramowitz and Stegun 7.1.26, whose exp(-z*z) is the density as well.
SOMA_INLINE void gelu_vec(vec x, vec& y, vec& slope) {
  const vec z = (x < vec{} ? -x : x) * 0.70710678f;
  const vec t = 1.0f / (z * 0.3275911f + 1.0f);
  vec p = t * 1.061405429f - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const vec e = exp_of(-z * z);
  const vec upper = p * t * e * 0.5f;  // 1 - Phi(|x|)
  const vec phi = x < vec{} ? upper : 1.0f - upper;
  y = x * phi;
  slope = phi + x * e * 0.39894228f;
}

void gelu(const float* x, float* y, float* slope, size_t count) {
  vec value;
  vec steep;
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    gelu_vec(load(x + i), value, steep);
    store(y + i, value);
    store(slope + i, steep);
  }
  if (i == count) return;
  vec rest = {};
  for (size_t l = 0; i + l < count; ++l) rest[l] = x[i + l];
  gelu_vec(rest, value, steep);
  for (size_t l = 0; i + l < count; ++l) {
    y[i + l] = value[l];
    slope[i + l] = steep[l];
  }
}

constexpr size_t most_turns = 64;

void turn_sums(const float* cosine, const float* sine, size_t rows, size_t slices, size_t turns,
               float* sums) {
  for (size_t row = 0; row < rows; ++row) {
    vec cosines[most_turns] = {};
    vec sines[most_turns] = {};
    for (size_t k = 0; k < slices; k += lanes) {
      vec c1 = {};
      vec s1 = {};
      if (k + lanes <= slices) {
        c1 = load(cosine + row * slices + k);
        s1 = load(sine + row * slices + k);
      } else {
        for (size_t l = 0; k + l < slices; ++l) {
          c1[l] = cosine[row * slices + k + l];
          s1[l] = sine[row * slices + k + l];
        }
      }
      vec c = c1;
      vec s = s1;
      for (size_t i = 0; i < turns; ++i) {
        cosines[i] += c;
        sines[i] += s;
        const vec next = c * c1 - s * s1;
        s = s * c1 + c * s1;
        c = next;
      }
    }
    for (size_t i = 0; i < turns; ++i) {
      sums[(row * turns + i) * 2] = sum_of(cosines[i]);
      sums[(row * turns + i) * 2 + 1] = sum_of(sines[i]);
    }
  }
}

#undef SOMA_INLINE

}  // namespace

const kernel_set SOMA_KERNEL_SET = {attention_scratch, attention_forward, attention_backward, gelu,
                                    turn_sums};

}  // namespace soma::model::twin
