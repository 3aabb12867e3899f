// The bodies of the kernels, as templates over the instruction set. Only the sources of this folder
// include it: each is compiled with the flags of its set, and the unnamed namespace keeps their
// code apart.
#pragma once

#include "model/exact/sets/attention_body.hpp"
#include "model/exact/sets/scan_body.hpp"

namespace soma::exact {
namespace {

inline constexpr float layer_norm_epsilon = 1e-5f;

template <class Isa>
struct kernels {
  using F = floats<Isa>;
  static constexpr size_t lanes = Isa::lanes;
  using columns = column_sums<Isa>;

  // ---- Layers, arithmetic §5.2 to §5.4

  static void layer_norm(const float* x, const float* gamma, const float* beta, size_t dim,
                         float* out) {
    const F size = F::all(static_cast<float>(dim));
    for (size_t t = 0; t < block_tokens; t += lanes) {
      const auto at = [&](size_t d)
                          [[gnu::always_inline]] { return F::load(x + d * block_tokens + t); };
      const F mean = columns::sum_rows(dim, at) / size;
      const F variance = columns::sum_rows(dim,
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

  static void rotate(float* x, const float* bias, const float* cosine, const float* sine,
                     size_t head_dim) {
    const size_t half = head_dim / 2;
    for (size_t i = 0; i < half; ++i) {
      const F low_bias = F::all(bias[i]);
      const F high_bias = F::all(bias[i + half]);
      for (size_t t = 0; t < block_tokens; t += lanes) {
        float* const low = x + i * block_tokens + t;
        float* const high = low + half * block_tokens;
        const F c = F::load(cosine + i * block_tokens + t);
        const F s = F::load(sine + i * block_tokens + t);
        const F a = F::load(low) + low_bias;
        const F b = F::load(high) + high_bias;
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

  // ---- Losses, arithmetic §5.6 and §5.8

  static void log_sum_exp(const float* logits, size_t vocab, float* maximum, float* log_sum) {
    for (size_t t = 0; t < block_tokens; t += lanes) {
      F largest = F::all(-__builtin_inff());
      for (size_t v = 0; v < vocab; ++v) {
        const F logit = F::load(logits + v * block_tokens + t);
        largest = select(logit > largest, logit, largest);
      }
      const F sum = columns::sum_rows(vocab, [&](size_t v) [[gnu::always_inline]] {
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
      typename columns::lane_sums all;
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
      const F sum = columns::sum_rows(sigreg_points,
                                      [&](size_t i) [[gnu::always_inline]] { return term[i]; });
      (sum * slices).store(statistic + t);
    }
  }
};

template <class Isa>
constexpr kernel_table make_kernels(simd::isa set, const elementary_table& elementary) {
  using k = kernels<Isa>;
  return {set,
          &elementary,
          products<Isa>::panel,
          products<Isa>::pack,
          products<Isa>::multiply,
          scanning<Isa>::scan,
          k::layer_norm,
          k::add_bias,
          k::add_residual,
          k::bias_gelu,
          k::rotate,
          k::rotary_angles,
          attention<Isa>::pack_keys,
          attention<Isa>::pack_values,
          attention<Isa>::scratch,
          attention<Isa>::attend,
          k::log_sum_exp,
          k::sigreg};
}

}  // namespace
}  // namespace soma::exact
