// Kernels that go through rows, or through plain runs of floats.

/// work(offset, how many) for every run of sixteen and for the rest.
template <class Work>
SOMA_INLINE void in_vectors(size_t count, Work&& work) {
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) work(i, lanes);
  if (i < count) work(i, count - i);
}
SOMA_INLINE vec take(const float* at, size_t count) {
  return count == lanes ? load(at) : load_some(at, count);
}
SOMA_INLINE void give(float* at, vec value, size_t count) {
  if (count == lanes) {
    store(at, value);
  } else {
    store_some(at, value, count);
  }
}
/// Lanes from `count` on become `other`.
SOMA_INLINE vec only(vec value, size_t count, float other = 0.0f) {
  return lane_numbers() < all(static_cast<float>(count)) ? value : all(other);
}

struct moments {
  float mean, inverse;  // 1 / sqrt(variance + 1e-5)
};

SOMA_INLINE moments moments_of(const float* x, size_t d) {
  vec sum = {};
  in_vectors(d, [&](size_t i, size_t count) { sum += take(x + i, count); });
  const float mean = sum_of(sum) / static_cast<float>(d);
  vec squares = {};
  in_vectors(d, [&](size_t i, size_t count) {
    const vec off = only(take(x + i, count) - mean, count);
    squares += off * off;
  });
  const float variance = sum_of(squares) / static_cast<float>(d);
  return {mean, 1.0f / __builtin_sqrtf(variance + 1e-5f)};
}

void layer_norm(const float* x, size_t rows, size_t d, const float* gamma, const float* beta,
                float* y) {
  for (size_t r = 0; r < rows; ++r, x += d, y += d) {
    const moments m = moments_of(x, d);
    in_vectors(d, [&](size_t i, size_t count) {
      const vec unit = (take(x + i, count) - m.mean) * m.inverse;
      give(y + i, unit * take(gamma + i, count) + take(beta + i, count), count);
    });
  }
}

void layer_norm_backward(const float* x, const float* dy, size_t rows, size_t d, const float* gamma,
                         const float* residual, float* dx, norm_gradient gradient) {
  for (size_t r = 0; r < rows; ++r, x += d, dy += d, dx += d) {
    const moments m = moments_of(x, d);
    vec sum = {};
    vec along = {};
    in_vectors(d, [&](size_t i, size_t count) {
      const vec unit = only((take(x + i, count) - m.mean) * m.inverse, count);
      const vec pull = take(dy + i, count);
      const vec weighed = pull * take(gamma + i, count);
      sum += weighed;
      along += weighed * unit;
      give(gradient.gamma + i, take(gradient.gamma + i, count) + pull * unit, count);
      give(gradient.beta + i, take(gradient.beta + i, count) + pull, count);
    });
    const float mean = sum_of(sum) / static_cast<float>(d);
    const float slope = sum_of(along) / static_cast<float>(d);
    in_vectors(d, [&](size_t i, size_t count) {
      const vec unit = (take(x + i, count) - m.mean) * m.inverse;
      const vec weighed = take(dy + i, count) * take(gamma + i, count);
      const vec own = (weighed - mean - unit * slope) * m.inverse;
      give(dx + i, residual == nullptr ? own : take(residual + i, count) + own, count);
    });
    if (residual != nullptr) residual += d;
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

void gelu(const float* x, float* y, size_t count) {
  in_vectors(count, [&](size_t i, size_t some) {
    vec value;
    vec slope;
    gelu_vec(take(x + i, some), value, slope);
    give(y + i, value, some);
  });
}

void gelu_backward(float* x, float* dy, size_t count) {
  in_vectors(count, [&](size_t i, size_t some) {
    vec value;
    vec slope;
    gelu_vec(take(x + i, some), value, slope);
    give(x + i, value, some);
    give(dy + i, take(dy + i, some) * slope, some);
  });
}

void add_columns(const float* x, size_t stride, size_t rows, size_t n, float* sums) {
  for (size_t r = 0; r < rows; ++r) {
    in_vectors(n, [&](size_t j, size_t count) {
      give(sums + j, take(sums + j, count) + take(x + r * stride + j, count), count);
    });
  }
}

double cross_entropy(float* logits, size_t stride, size_t rows, size_t n,
                     const std::int32_t* targets, float scale) {
  double loss = 0;
  for (size_t r = 0; r < rows; ++r) {
    float* const row = logits + r * stride;
    if (targets[r] < 0) {
      zero(row, n);
      continue;
    }
    vec best = all(-3.0e38f);
    bool sound = true;
    in_vectors(n, [&](size_t j, size_t count) {
      best = larger(best, only(take(row + j, count), count, -3.0e38f));
    });
    const float top = largest_of(best);
    const float wanted = row[targets[r]];
    vec sum = {};
    in_vectors(n, [&](size_t j, size_t count) {
      const vec off = take(row + j, count) - top;
      const vec e = only(exp_of(off), count);
      const ivec broken = off != off;  // exp_of clamps, so it would hide a NaN
      for (size_t l = 0; l < count; ++l) sound = sound && broken[l] == 0;
      give(row + j, e, count);
      sum += e;
    });
    const float total = sum_of(sum);
    loss += sound ? static_cast<double>(__builtin_logf(total)) +
                        (static_cast<double>(top) - static_cast<double>(wanted))
                  : static_cast<double>(__builtin_nanf(""));
    const float share = scale / total;
    in_vectors(n,
               [&](size_t j, size_t count) { give(row + j, take(row + j, count) * share, count); });
    row[targets[r]] -= scale;
  }
  return loss;
}

constexpr size_t most_turns = 64;

double sigreg(const float* cosine, const float* sine, size_t slices, size_t turns, const float* phi,
              const float* weight, float* gradient) {
  vec cosines[most_turns + 1] = {};
  vec sines[most_turns + 1] = {};
  in_vectors(slices, [&](size_t k, size_t count) {
    const vec c1 = take(cosine + k, count);
    const vec s1 = take(sine + k, count);
    vec c = c1;
    vec s = s1;
    for (size_t i = 1; i <= turns; ++i) {
      cosines[i] += c;
      sines[i] += s;
      const vec next = c * c1 - s * s1;
      s = s * c1 + c * s1;
      c = next;
    }
  });
  const auto inverse = 1.0f / static_cast<float>(slices);
  double statistic = 0;
  float even[most_turns + 1];
  float odd[most_turns + 1];
  for (size_t i = 1; i <= turns; ++i) {
    const float off = sum_of(cosines[i]) * inverse - phi[i];
    const float turned = sum_of(sines[i]) * inverse;
    statistic += static_cast<double>((off * off + turned * turned) * weight[i]);
    even[i] = -2.0f * weight[i] * off * inverse * static_cast<float>(i);
    odd[i] = 2.0f * weight[i] * turned * inverse * static_cast<float>(i);
  }
  in_vectors(slices, [&](size_t k, size_t count) {
    const vec c1 = take(cosine + k, count);
    const vec s1 = take(sine + k, count);
    vec c = c1;
    vec s = s1;
    vec slope = {};
    for (size_t i = 1; i <= turns; ++i) {
      slope += s * even[i] + c * odd[i];
      const vec next = c * c1 - s * s1;
      s = s * c1 + c * s1;
      c = next;
    }
    give(gradient + k, slope, count);
  });
  return statistic;
}

double sum_of_squares(const float* x, size_t count) {
  typedef double wide __attribute__((vector_size(128)));
  wide sum = {};
  in_vectors(count, [&](size_t i, size_t some) {
    const wide value = __builtin_convertvector(take(x + i, some), wide);
    sum += value * value;
  });
  double total = 0;
  for (size_t l = 0; l < lanes; ++l) total += sum[l];
  return total;
}

void adamw(float* __restrict p, float* __restrict m, float* __restrict v, const float* __restrict g,
           size_t count, const adamw_step& step) {
  constexpr float beta_1 = 0.9f;
  constexpr float beta_2 = 0.95f;
  const adamw_step s = step;
  for (size_t i = 0; i < count; ++i) {
    const float slope = g[i] * s.scale;
    m[i] = beta_1 * m[i] + (1 - beta_1) * slope;
    v[i] = beta_2 * v[i] + (1 - beta_2) * slope * slope;
    p[i] = p[i] * s.keep - s.size * m[i] / (__builtin_sqrtf(v[i] * s.correction) + 1e-8f);
  }
}
