#include "tests/model/exact/plain_scorer.hpp"

#include <cmath>
#include <functional>
#include <numbers>

#include "model/exact/elementary_table.hpp"
#include "model/noise/elementary.hpp"
#include "model/noise/noise.hpp"
#include "model/tokens/tokens.hpp"

namespace soma::test {
namespace {

using row = std::vector<float>;
using matrix = std::vector<row>;  // [token][feature]

const exact::elementary_table& functions() {
  return exact::elementary_for(simd::isa::portable);
}
float exp_of(float x) {
  float y = 0;
  functions().exp(&x, &y, 1);
  return y;
}
float log_of(float x) {
  float y = 0;
  functions().log(&x, &y, 1);
  return y;
}

/// Arithmetic §3.1: sixteen lanes, folded.
float sum(std::size_t count, const std::function<float(std::size_t)>& element) {
  float lane[16] = {};
  for (std::size_t i = 0; i < count; ++i) lane[i % 16] += element(i);
  for (std::size_t half = 8; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

/// Arithmetic §3.2.
float mean(std::size_t count, const std::function<float(std::size_t)>& element) {
  return sum(count, element) / static_cast<float>(count);
}

/// Arithmetic §1.3: a NaN is passed over.
float maximum(const row& values) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const float value : values) {
    if (value > largest) largest = value;
  }
  return largest;
}

/// Arithmetic §2.1: a fold over ascending k.
float dot(std::size_t count, const std::function<float(std::size_t)>& a,
          const std::function<float(std::size_t)>& b) {
  float total = 0;
  for (std::size_t k = 0; k < count; ++k) total = std::fma(a(k), b(k), total);
  return total;
}

struct network {
  const weights::model_weights& weights;
  const model_architecture& arch;

  [[nodiscard]] std::span<const float> at(const std::string& name) const {
    return weights.tensor(name);
  }
  /// Arithmetic §2.2.
  [[nodiscard]] row linear(const row& x, const std::string& name, std::size_t outputs) const {
    const auto w = at(name + ".weight");
    const auto bias = at(name + ".bias");
    row out(outputs);
    for (std::size_t n = 0; n < outputs; ++n) {
      out[n] = dot(
                   x.size(), [&](std::size_t k) { return x[k]; },
                   [&](std::size_t k) { return w[k * outputs + n]; }) +
               bias[n];
    }
    return out;
  }
  /// Arithmetic §5.3.
  [[nodiscard]] row norm(const row& x, const std::string& name) const {
    const float centre = mean(x.size(), [&](std::size_t d) { return x[d]; });
    const float variance =
        mean(x.size(), [&](std::size_t d) { return (x[d] - centre) * (x[d] - centre); });
    const float scale = 1.0f / std::sqrt(variance + 1e-5f);
    row out(x.size());
    for (std::size_t d = 0; d < x.size(); ++d) {
      out[d] = std::fma((x[d] - centre) * scale, at(name + ".gamma")[d], at(name + ".beta")[d]);
    }
    return out;
  }
  /// Rotary embedding, arithmetic §5.4.
  void rotate(row& x, std::uint32_t position) const {
    const std::size_t width = arch.dim / arch.heads;
    for (std::size_t i = 0; i < width / 2; ++i) {
      const double part = static_cast<double>(2 * i) / static_cast<double>(width);
      const double angle = position * noise::exact_exp(-(part * 0x1.26bb1bbb55516p+3));
      double s = 0;
      double c = 0;
      functions().sincos_f64(&angle, &s, &c, 1);
      const auto sine = static_cast<float>(s);
      const auto cosine = static_cast<float>(c);
      for (std::size_t head = 0; head < arch.heads; ++head) {
        float& a = x[head * width + i];
        float& b = x[head * width + i + width / 2];
        const float low = std::fma(a, cosine, -(b * sine));
        b = std::fma(b, cosine, a * sine);
        a = low;
      }
    }
  }
  /// Arithmetic §5.5.
  [[nodiscard]] matrix attend(const matrix& q, const matrix& k, const matrix& v) const {
    const std::size_t width = arch.dim / arch.heads;
    const float scale = 1.0f / std::sqrt(static_cast<float>(width));
    matrix out(q.size(), row(arch.dim));
    for (std::size_t i = 0; i < q.size(); ++i) {
      for (std::size_t first = 0; first < arch.dim; first += width) {
        row weight(i + 1);
        for (std::size_t j = 0; j <= i; ++j) {
          weight[j] = dot(
                          width, [&](std::size_t d) { return q[i][first + d]; },
                          [&](std::size_t d) { return k[j][first + d]; }) *
                      scale;
        }
        const float top = maximum(weight);
        for (auto& w : weight) w = exp_of(w - top);
        const float inverse_sum = 1.0f / sum(i + 1, [&](std::size_t j) { return weight[j]; });
        for (std::size_t d = first; d < first + width; ++d) {
          out[i][d] = dot(
                          i + 1, [&](std::size_t j) { return weight[j]; },
                          [&](std::size_t j) { return v[j][d]; }) *
                      inverse_sum;
        }
      }
    }
    return out;
  }
  /// Arithmetic §5.2.
  void layer(matrix& x, const std::vector<std::uint32_t>& positions, std::size_t from,
             const std::string& p) const {
    matrix q, k, v;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const row normed = norm(x[i], p + "norm_1");
      q.push_back(linear(normed, p + "attention.query", arch.dim));
      k.push_back(linear(normed, p + "attention.key", arch.dim));
      v.push_back(linear(normed, p + "attention.value", arch.dim));
      rotate(q.back(), positions[from + i]);
      rotate(k.back(), positions[from + i]);
    }
    const matrix attended = attend(q, k, v);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const row change = linear(attended[i], p + "attention.output", arch.dim);
      for (std::size_t d = 0; d < arch.dim; ++d) x[i][d] += change[d];
      row hidden = linear(norm(x[i], p + "norm_2"), p + "pwff.linear_inner", arch.ffn);
      for (auto& h : hidden) {
        const float before = h;
        functions().gelu(&before, &h, 1);
      }
      const row more = linear(hidden, p + "pwff.linear_outer", arch.dim);
      for (std::size_t d = 0; d < arch.dim; ++d) x[i][d] += more[d];
    }
  }
  [[nodiscard]] matrix represent(const tokens::token_batch& batch, std::size_t from) const {
    matrix x;
    const auto table = at("embedding.weight");
    for (std::size_t j = 0; j < arch.max_seq; ++j) {
      const auto first = table.begin() + batch.tokens[from + j] * static_cast<long>(arch.dim);
      x.emplace_back(first, first + arch.dim);
    }
    for (std::uint32_t l = 0; l < arch.layers; ++l) {
      layer(x, batch.positions, from, "encoder.layers." + std::to_string(l) + ".");
    }
    for (auto& y : x) y = norm(y, "final_norm");
    return x;
  }
};

/// Arithmetic §5.6.
float cross_entropy(const network& net, const row& y, tokens::token target) {
  if (target == tokens::pad_token) return 0;
  const row logits = net.linear(y, "predictor", model_architecture::vocab);
  const float top = maximum(logits);
  const float total = sum(logits.size(), [&](std::size_t v) { return exp_of(logits[v] - top); });
  return log_of(total) - (logits[target] - top);
}

/// Arithmetic §5.7: [slice][dim].
matrix directions(std::uint64_t seed, std::size_t dim) {
  const auto noise = noise::normals(seed, dim * 256);
  matrix all;
  for (std::size_t k = 0; k < 256; ++k) {
    const auto z = [&](std::size_t d) { return noise[d * 256 + k]; };
    const float norm = std::sqrt(sum(dim, [&](std::size_t d) { return z(d) * z(d); }));
    row column(dim);
    for (std::size_t d = 0; d < dim; ++d) column[d] = z(d) / norm;
    all.push_back(std::move(column));
  }
  return all;
}

/// Arithmetic §5.8.
float sigreg(const row& y, const matrix& unit) {
  const double step = 3.0 / 16;
  matrix cosines(17, row(256, 1.0f));
  matrix sines(17, row(256, 0.0f));
  for (std::size_t k = 0; k < 256; ++k) {
    const float p = dot(
        y.size(), [&](std::size_t d) { return y[d]; }, [&](std::size_t d) { return unit[k][d]; });
    const float angle = p * static_cast<float>(step);
    float s1 = 0;
    float c1 = 0;
    functions().sincos(&angle, &s1, &c1, 1);
    for (std::size_t i = 1; i < 17; ++i) {
      const float c = cosines[i - 1][k];
      const float s = sines[i - 1][k];
      cosines[i][k] = std::fma(c, c1, -(s * s1));
      sines[i][k] = std::fma(s, c1, c * s1);
    }
  }
  return sum(17,
             [&](std::size_t i) {
               const double t = static_cast<double>(i) * step;
               const double phi = noise::exact_exp(-(t * t) / 2);
               const auto weight = static_cast<float>(phi * (i == 0 || i == 16 ? step : 2 * step));
               const float cosine_error = mean(256, [&](std::size_t k) { return cosines[i][k]; }) -
                                          static_cast<float>(phi);
               const float mean_sine = mean(256, [&](std::size_t k) { return sines[i][k]; });
               return std::fma(cosine_error, cosine_error, mean_sine * mean_sine) * weight;
             }) *
         256;
}

}  // namespace

exact::score plain_score(const weights::model_weights& weights, byte_view data, std::uint64_t seed,
                         std::uint32_t batch_size) {
  const auto& arch = weights.architecture();
  const network net{weights, arch};
  exact::score score;
  score.embedding.assign(arch.dim, 0.0f);
  double bits = 0;
  double predicted = 0;
  const auto total = tokens::sequence_count(data.size(), arch.max_seq);
  for (std::uint64_t first = 0, b = 0; first < total; first += batch_size, ++b) {
    const auto batch = tokens::make_batch(data, arch.max_seq, first, batch_size);
    const matrix unit = directions(seed + b, arch.dim);
    matrix y;
    for (std::size_t r = 0; r < batch.sequences; ++r) {
      for (auto& one : net.represent(batch, r * arch.max_seq)) y.push_back(std::move(one));
    }
    row losses(y.size());
    row statistics(y.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      losses[i] = cross_entropy(net, y[i], batch.targets[i]);
      statistics[i] = sigreg(y[i], unit);
      if (batch.targets[i] < tokens::pad_token) {  // arithmetic §5.12
        bits += static_cast<double>(losses[i]) / std::numbers::ln2;
        predicted += 1;
      }
    }
    // Arithmetic §5.9 and §5.11.
    const float ce = mean(y.size(), [&](std::size_t i) { return losses[i]; });
    const float sr = mean(y.size(), [&](std::size_t i) { return statistics[i]; });
    const auto n = static_cast<float>(b + 1);
    score.cross_entropy += (ce - score.cross_entropy) / n;
    score.sigreg += (sr - score.sigreg) / n;
    score.loss += (ce + 0.02f * sr - score.loss) / n;
    for (std::size_t d = 0; d < arch.dim; ++d) {
      const auto of_sequence = [&](std::size_t r) {  // arithmetic §5.10
        return mean(arch.max_seq, [&](std::size_t j) { return y[r * arch.max_seq + j][d]; });
      };
      score.embedding[d] += (mean(batch.sequences, of_sequence) - score.embedding[d]) / n;
    }
  }
  score.bits_per_byte = predicted == 0 ? 0.0f : static_cast<float>(bits / predicted);
  score.valid = true;
  return score;
}

}  // namespace soma::test
