// The bodies of the kernels, as templates over the instruction set. Only the sources of this folder
// include it: each is compiled with the flags of its set, and the unnamed namespace keeps their
// code apart.
#pragma once

#include "model/exact/kernels.hpp"
#include "model/exact/sets/elementary.hpp"
#include "model/exact/sets/scan_body.hpp"
#include "model/simd/tile.hpp"

namespace soma::exact {
namespace {

using std::size_t;

inline constexpr float layer_norm_epsilon = 1e-5f;
/// The part of the depth that is walked at a time: one panel of it stays in the first-level cache,
/// and one block of tokens in the second-level cache.
inline constexpr size_t depth_step = 512;
inline constexpr size_t panels_packed_together = 8;

inline constexpr float token_numbers[block_tokens] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                      11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                      22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

template <class Isa>
struct kernels {
  using F = floats<Isa>;
  static constexpr size_t lanes = Isa::lanes;
  using tile = simd::product_tile<Isa>;
  static constexpr size_t panel = tile::factors;
  static_assert(block_tokens % tile::width == 0);
  /// Panels of depth_step steps that fit half of a second-level cache of 512 KiB.
  static constexpr size_t panel_group = (size_t{192} << 10) / (depth_step * panel * sizeof(float));

  // ---- Products, arithmetic §2.1

  static void pack(const float* w, size_t depth, size_t outputs, size_t row_stride,
                   size_t first_panel, size_t last_panel, float* panels) {
    for (size_t group = first_panel; group < last_panel; group += panels_packed_together) {
      const size_t end =
          group + panels_packed_together < last_panel ? group + panels_packed_together : last_panel;
      for (size_t k = 0; k < depth; ++k) {
        for (size_t p = group; p < end; ++p) {
          float* const to = panels + (p * depth + k) * panel;
          for (size_t j = 0; j < panel; ++j) {
            const size_t n = p * panel + j;
            to[j] = n < outputs ? w[k * row_stride + n] : 0.0f;
          }
        }
      }
    }
  }

  static void multiply_tile(const float* w, const float* next_w, const float* x, size_t depth,
                            bool fresh, float* out) {
    tile sums;
    if (fresh) {
      sums.clear();
    } else {
      sums.load(out, block_tokens);
    }
    sums.template accumulate<true, block_tokens, panel, 1>(x, w, depth, next_w);
    sums.store(out, block_tokens);
  }

  /// A group of panels stays in the second-level cache while all blocks go through it, and a block
  /// stays in the first-level cache while it goes through the group.
  static void multiply(const product& p) {
    const size_t panels = (p.outputs + panel - 1) / panel;
    for (size_t k = 0; k < p.depth || k == 0; k += depth_step) {
      const size_t depth = p.depth - k < depth_step ? p.depth - k : depth_step;
      for (size_t group = 0; group < panels; group += panel_group) {
        const size_t end = group + panel_group < panels ? group + panel_group : panels;
        for (size_t b = 0; b < p.blocks; ++b) {
          const float* const x = p.x + b * p.x_stride + k * block_tokens;
          for (size_t n = group; n < end; ++n) {
            const float* const w = p.panels + n * p.panel_stride + k * panel;
            const float* const next_w = n + 1 < end ? w + p.panel_stride : w;
            float* const out = p.out + b * p.out_stride + n * panel * block_tokens;
            for (size_t t = 0; t < block_tokens; t += tile::width) {
              multiply_tile(w, next_w, x + t, depth, p.fresh && k == 0, out + t);
            }
          }
        }
      }
    }
  }

  // ---- Sums, arithmetic §3.1

  struct lane_sums {
    F lane[sum_lanes];
    SOMA_LANES void clear() {
      for (auto& l : lane) l = F::zero();
    }
    SOMA_LANES F fold() const {
      F l[sum_lanes];
      for (size_t i = 0; i < sum_lanes; ++i) l[i] = lane[i];
      for (size_t half = sum_lanes / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; ++i) l[i] = l[i] + l[i + half];
      }
      return l[0];
    }
  };

  /// The sum of element(row) over `count` rows.
  template <class Element>
  SOMA_LANES static F sum_rows(size_t count, Element&& element) {
    lane_sums sums;
    sums.clear();
    size_t row = 0;
    for (; row + sum_lanes <= count; row += sum_lanes) {
      for (size_t l = 0; l < sum_lanes; ++l) sums.lane[l] = sums.lane[l] + element(row + l);
    }
    for (size_t l = 0; row + l < count; ++l) sums.lane[l] = sums.lane[l] + element(row + l);
    return sums.fold();
  }

  // ---- Layers, arithmetic §5.2 to §5.4

  static void layer_norm(const float* x, const float* gamma, const float* beta, size_t dim,
                         float* out) {
    const F size = F::all(static_cast<float>(dim));
    for (size_t t = 0; t < block_tokens; t += lanes) {
      const auto at = [&](size_t d)
                          [[gnu::always_inline]] { return F::load(x + d * block_tokens + t); };
      const F mean = sum_rows(dim, at) / size;
      const F variance = sum_rows(dim,
                                  [&](size_t d) [[gnu::always_inline]] {
                                    const F centred = at(d) - mean;
                                    return centred * centred;
                                  }) /
                         size;
      const F scale = rsqrt(variance + F::all(layer_norm_epsilon));
      for (size_t d = 0; d < dim; ++d) {
        fma((at(d) - mean) * scale, F::all(gamma[d]), F::all(beta[d]))
            .store(out + d * block_tokens + t);
      }
    }
  }

  static void add_bias(float* x, const float* bias, size_t outputs) {
    for (size_t n = 0; n < outputs; ++n) {
      const F b = F::all(bias[n]);
      for (size_t t = 0; t < block_tokens; t += lanes) {
        float* const at = x + n * block_tokens + t;
        (F::load(at) + b).store(at);
      }
    }
  }

  static void add_residual(float* x, const float* change, const float* bias, size_t outputs) {
    for (size_t n = 0; n < outputs; ++n) {
      const F b = F::all(bias[n]);
      for (size_t t = 0; t < block_tokens; t += lanes) {
        float* const at = x + n * block_tokens + t;
        (F::load(at) + (F::load(change + n * block_tokens + t) + b)).store(at);
      }
    }
  }

  static void bias_gelu(float* x, const float* bias, size_t outputs) {
    for (size_t n = 0; n < outputs; ++n) {
      const F b = F::all(bias[n]);
      for (size_t t = 0; t < block_tokens; t += lanes) {
        float* const at = x + n * block_tokens + t;
        gelu(F::load(at) + b).store(at);
      }
    }
  }

  static void rotate(float* x, const float* cosine, const float* sine, size_t head_dim) {
    const size_t half = head_dim / 2;
    for (size_t i = 0; i < half; ++i) {
      for (size_t t = 0; t < block_tokens; t += lanes) {
        float* const low = x + i * block_tokens + t;
        float* const high = low + half * block_tokens;
        const F c = F::load(cosine + i * block_tokens + t);
        const F s = F::load(sine + i * block_tokens + t);
        const F a = F::load(low);
        const F b = F::load(high);
        fma(a, c, -(b * s)).store(low);
        fma(b, c, a * s).store(high);
      }
    }
  }

  static void rotary_angles(const std::uint32_t* positions, const double* frequencies,
                            size_t half_dim, float* cosine, float* sine) {
    using D = doubles<Isa>;
    for (size_t t = 0; t < block_tokens; t += lanes) {
      double exact[lanes];
      for (size_t l = 0; l < lanes; ++l) exact[l] = static_cast<double>(positions[t + l]);
      const D position = D::load(exact);
      for (size_t i = 0; i < half_dim; ++i) {
        D s;
        D c;
        sincos(position * D::all(frequencies[i]), s, c);
        narrow(c).store(cosine + i * block_tokens + t);
        narrow(s).store(sine + i * block_tokens + t);
      }
    }
  }

  // ---- Attention, arithmetic §5.5

  static size_t attention_scratch(size_t head_dim, size_t padded_length) {
    return (round_up(padded_length, panel) + round_up(head_dim, panel)) * block_tokens;
  }

  /// The softmax of each token's column of scores, but for the division: scores become e^(score -
  /// maximum), and 0 for keys after the query. Returns 1 / their sum.
  static F softmax(float* scores, size_t first, size_t t, float scale) {
    const F token = F::load(token_numbers + t);
    const F factor = F::all(scale);
    const auto keep = [&](size_t j) [[gnu::always_inline]] {
      return token >= F::all(static_cast<float>(j - first));
    };
    F maximum = F::all(-__builtin_inff());
    for (size_t j = 0; j < first + block_tokens; ++j) {
      float* const at = scores + j * block_tokens + t;
      const F score = F::load(at) * factor;
      score.store(at);
      const F larger = select(score > maximum, score, maximum);
      maximum = j < first ? larger : select(keep(j), larger, maximum);
    }
    const F sum = sum_rows(first + block_tokens, [&](size_t j) [[gnu::always_inline]] {
      float* const at = scores + j * block_tokens + t;
      F e = exp(F::load(at) - maximum);
      if (j >= first) e = select(keep(j), e, F::zero());
      e.store(at);
      return e;
    });
    return F::all(1.0f) / sum;
  }

  /// The keys of the query's own block in the weighted sum of values. A key after the query is not
  /// added, not even as 0 * value.
  static void weigh_own_block(const float* values, const float* weights, float* out, bool fresh) {
    for (size_t t = 0; t < block_tokens; t += lanes) {
      const F token = F::load(token_numbers + t);
      F sum[panel];
      for (size_t w = 0; w < panel; ++w) {
        sum[w] = fresh ? F::zero() : F::load(out + w * block_tokens + t);
      }
      for (size_t j = 0; j < block_tokens; ++j) {
        const F weight = F::load(weights + j * block_tokens + t);
        const auto keep = token >= F::all(token_numbers[j]);
        for (size_t w = 0; w < panel; ++w) {
          sum[w] = select(keep, fma(weight, F::all(values[j * panel + w]), sum[w]), sum[w]);
        }
      }
      for (size_t w = 0; w < panel; ++w) sum[w].store(out + w * block_tokens + t);
    }
  }

  static void attend(const attention_task& a) {
    float* const scores = a.scratch;
    const size_t keys = a.first + block_tokens;
    float* const weighted = scores + round_up(keys, panel) * block_tokens;
    multiply({a.keys, a.head_dim * panel, keys, a.q, 0, scores, 0, 1, a.head_dim, true});
    float inverse_sums[block_tokens];
    for (size_t t = 0; t < block_tokens; t += lanes) {
      softmax(scores, a.first, t, a.scale).store(inverse_sums + t);
    }
    if (a.first > 0) {
      multiply({a.values, a.padded_length * panel, a.head_dim, scores, 0, weighted, 0, 1, a.first,
                true});
    }
    for (size_t w = 0; w < a.head_dim; w += panel) {
      weigh_own_block(a.values + w * a.padded_length + a.first * panel,
                      scores + a.first * block_tokens, weighted + w * block_tokens, a.first == 0);
    }
    for (size_t w = 0; w < a.head_dim; ++w) {
      for (size_t t = 0; t < block_tokens; t += lanes) {
        (F::load(weighted + w * block_tokens + t) * F::load(inverse_sums + t))
            .store(a.q + w * block_tokens + t);
      }
    }
  }

  // ---- Losses, arithmetic §5.6 and §5.8

  static void log_sum_exp(const float* logits, size_t vocab, float* maximum, float* log_sum) {
    for (size_t t = 0; t < block_tokens; t += lanes) {
      F largest = F::all(-__builtin_inff());
      for (size_t v = 0; v < vocab; ++v) {
        const F logit = F::load(logits + v * block_tokens + t);
        largest = select(logit > largest, logit, largest);
      }
      const F sum = sum_rows(vocab, [&](size_t v) [[gnu::always_inline]] {
        return exp(F::load(logits + v * block_tokens + t) - largest);
      });
      largest.store(maximum + t);
      log(sum).store(log_sum + t);
    }
  }

  /// One lane of the sums over slices, for all points: the sixteen slices of the lane, each rotated
  /// by its angle from point to point.
  static void rotate_slices(const float* projections, float step, float* cosines, float* sines) {
    constexpr size_t points = sigreg_points - 1;
    F cosine_sum[points];
    F sine_sum[points];
    for (size_t i = 0; i < points; ++i) cosine_sum[i] = sine_sum[i] = F::zero();
    for (size_t k = 0; k < sigreg_slices; k += sum_lanes) {
      F sine;
      F cosine;
      sincos(F::load(projections + k * block_tokens) * F::all(step), sine, cosine);
      F c = cosine;
      F s = sine;
      cosine_sum[0] = cosine_sum[0] + c;
      sine_sum[0] = sine_sum[0] + s;
      for (size_t i = 1; i < points; ++i) {
        const F next = fma(c, cosine, -(s * sine));
        s = fma(s, cosine, c * sine);
        c = next;
        cosine_sum[i] = cosine_sum[i] + c;
        sine_sum[i] = sine_sum[i] + s;
      }
    }
    for (size_t i = 0; i < points; ++i) {
      cosine_sum[i].store(cosines + i * sum_lanes * lanes);
      sine_sum[i].store(sines + i * sum_lanes * lanes);
    }
  }

  static void sigreg(const float* projections, const sigreg_tables& tables, float* statistic,
                     float* scratch) {
    constexpr size_t points = sigreg_points - 1;
    float* const cosines = scratch;
    float* const sines = scratch + points * sum_lanes * lanes;
    const F slices = F::all(static_cast<float>(sigreg_slices));
    const auto mean = [&](const float* sums) [[gnu::always_inline]] {
      lane_sums all;
      for (size_t l = 0; l < sum_lanes; ++l) all.lane[l] = F::load(sums + l * lanes);
      return all.fold() / slices;
    };
    for (size_t t = 0; t < block_tokens; t += lanes) {
      for (size_t l = 0; l < sum_lanes; ++l) {
        rotate_slices(projections + l * block_tokens + t, tables.step, cosines + l * lanes,
                      sines + l * lanes);
      }
      F term[sigreg_points];
      term[0] = F::zero();
      for (size_t i = 0; i < points; ++i) {
        const F cosine_error = mean(cosines + i * sum_lanes * lanes) - F::all(tables.phi[i + 1]);
        const F mean_sine = mean(sines + i * sum_lanes * lanes);
        term[i + 1] =
            fma(cosine_error, cosine_error, mean_sine * mean_sine) * F::all(tables.weight[i + 1]);
      }
      const F sum =
          sum_rows(sigreg_points, [&](size_t i) [[gnu::always_inline]] { return term[i]; });
      (sum * slices).store(statistic + t);
    }
  }
};

template <class Isa>
constexpr kernel_table make_kernels(simd::isa set, const elementary_table& elementary) {
  using k = kernels<Isa>;
  return {set,
          &elementary,
          k::panel,
          k::pack,
          k::multiply,
          scanning<Isa>::scan,
          k::layer_norm,
          k::add_bias,
          k::add_residual,
          k::bias_gelu,
          k::rotate,
          k::rotary_angles,
          k::attention_scratch,
          k::attend,
          k::log_sum_exp,
          k::sigreg};
}

}  // namespace
}  // namespace soma::exact
