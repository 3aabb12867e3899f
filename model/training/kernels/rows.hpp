// Kernels that go through rows, or through plain runs of floats.

/// Calls work(offset, count) for every whole vector of floats and for the rest.
template <class Work>
SOMA_INLINE void in_vectors(size_t count, Work&& work) {
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) work(i, lanes);
  if (i < count) work(i, count - i);
}
SOMA_INLINE vec load_up_to(const float* at, size_t count) {
  return count == lanes ? load(at) : load_some(at, count);
}
SOMA_INLINE void store_up_to(float* at, vec value, size_t count) {
  if (count == lanes) {
    store(at, value);
  } else {
    store_some(at, value, count);
  }
}
/// Sets the lanes from `count` on to `other`.
SOMA_INLINE vec only(vec value, size_t count, float other = 0.0f) {
  return select(lane_numbers() < all(static_cast<float>(count)), value, all(other));
}

struct row_moments {
  float mean;
  float reciprocal_deviation;  // 1 / sqrt(variance + 1e-5)
};

SOMA_INLINE row_moments moments_of(const float* x, size_t d) {
  vec sum = vec::zero();
  in_vectors(d, [&](size_t i, size_t count) { sum += load_up_to(x + i, count); });
  const float mean = sum_of(sum) / static_cast<float>(d);
  vec squares = vec::zero();
  in_vectors(d, [&](size_t i, size_t count) {
    const vec centred = only(load_up_to(x + i, count) - mean, count);
    squares += centred * centred;
  });
  const float variance = sum_of(squares) / static_cast<float>(d);
  return {mean, 1.0f / __builtin_sqrtf(variance + 1e-5f)};
}

void layer_norm(const float* x, size_t rows, size_t d, const float* gamma, const float* beta,
                float* y) {
  for (size_t r = 0; r < rows; ++r, x += d, y += d) {
    const row_moments m = moments_of(x, d);
    in_vectors(d, [&](size_t i, size_t count) {
      const vec normalized = (load_up_to(x + i, count) - m.mean) * m.reciprocal_deviation;
      store_up_to(y + i, normalized * load_up_to(gamma + i, count) + load_up_to(beta + i, count),
                  count);
    });
  }
}

void layer_norm_backward(const float* x, const float* d_y, size_t rows, size_t d,
                         const float* gamma, const float* d_residual, float* d_x,
                         layer_norm_gradient gradient) {
  for (size_t r = 0; r < rows; ++r, x += d, d_y += d, d_x += d) {
    const row_moments m = moments_of(x, d);
    vec sum = vec::zero();           // the sum of d_normalized
    vec weighted_sum = vec::zero();  // the sum of d_normalized * normalized
    in_vectors(d, [&](size_t i, size_t count) {
      const vec normalized =
          only((load_up_to(x + i, count) - m.mean) * m.reciprocal_deviation, count);
      const vec d_out = load_up_to(d_y + i, count);
      const vec d_normalized = d_out * load_up_to(gamma + i, count);
      sum += d_normalized;
      weighted_sum += d_normalized * normalized;
      float* const d_gamma = gradient.d_gamma + i;
      float* const d_beta = gradient.d_beta + i;
      store_up_to(d_gamma, load_up_to(d_gamma, count) + d_out * normalized, count);
      store_up_to(d_beta, load_up_to(d_beta, count) + d_out, count);
    });
    const float mean = sum_of(sum) / static_cast<float>(d);
    const float weighted_mean = sum_of(weighted_sum) / static_cast<float>(d);
    in_vectors(d, [&](size_t i, size_t count) {
      const vec normalized = (load_up_to(x + i, count) - m.mean) * m.reciprocal_deviation;
      const vec d_normalized = load_up_to(d_y + i, count) * load_up_to(gamma + i, count);
      const vec through_norm =
          (d_normalized - mean - normalized * weighted_mean) * m.reciprocal_deviation;
      store_up_to(
          d_x + i,
          d_residual == nullptr ? through_norm : load_up_to(d_residual + i, count) + through_norm,
          count);
    });
    if (d_residual != nullptr) d_residual += d;
  }
}

/// GELU and its derivative. Phi comes from the erf of Abramowitz and Stegun 7.1.26, whose exp(-z *
/// z) also gives the density.
SOMA_INLINE void gelu_vec(vec x, vec& y, vec& derivative) {
  const vec z = select(x < vec::zero(), -x, x) * 0.70710678f;
  const vec t = all(1.0f) / (z * 0.3275911f + 1.0f);
  vec p = t * 1.061405429f - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const vec e = exp_of(-(z * z));
  const vec upper = p * t * e * 0.5f;  // 1 - Phi(|x|)
  const vec phi = select(x < vec::zero(), upper, all(1.0f) - upper);
  y = x * phi;
  derivative = phi + x * e * 0.39894228f;
}

void gelu(const float* x, float* y, size_t count) {
  in_vectors(count, [&](size_t i, size_t some) {
    vec value;
    vec derivative;
    gelu_vec(load_up_to(x + i, some), value, derivative);
    store_up_to(y + i, value, some);
  });
}

void gelu_backward(float* x, float* d_y, size_t count) {
  in_vectors(count, [&](size_t i, size_t some) {
    vec value;
    vec derivative;
    gelu_vec(load_up_to(x + i, some), value, derivative);
    store_up_to(x + i, value, some);
    store_up_to(d_y + i, load_up_to(d_y + i, some) * derivative, some);
  });
}

void add_column_sums(const float* x, size_t stride, size_t rows, size_t n, float* sums) {
  for (size_t r = 0; r < rows; ++r) {
    in_vectors(n, [&](size_t j, size_t count) {
      store_up_to(sums + j, load_up_to(sums + j, count) + load_up_to(x + r * stride + j, count),
                  count);
    });
  }
}

double softmax_cross_entropy(float* logits, size_t stride, size_t rows, size_t n,
                             const std::int32_t* targets, float scale) {
  double loss = 0;
  for (size_t r = 0; r < rows; ++r) {
    float* const row = logits + r * stride;
    if (targets[r] < 0) {
      zero(row, n);
      continue;
    }
    vec lane_max = all(-3.0e38f);
    in_vectors(n, [&](size_t j, size_t count) {
      lane_max = larger(lane_max, only(load_up_to(row + j, count), count, -3.0e38f));
    });
    const float row_max = max_of(lane_max);
    const float target_logit = row[targets[r]];
    vec sum = vec::zero();
    vec zeros = vec::zero();  // NaN once a logit was not finite, which exp_of would hide
    in_vectors(n, [&](size_t j, size_t count) {
      const vec shifted = load_up_to(row + j, count) - row_max;
      const vec e = only(exp_of(shifted), count);
      zeros += shifted * 0.0f;
      store_up_to(row + j, e, count);
      sum += e;
    });
    const float sum_exp = sum_of(sum);
    const bool sound = sum_of(zeros) == 0.0f;
    loss += sound ? static_cast<double>(__builtin_logf(sum_exp)) +
                        (static_cast<double>(row_max) - static_cast<double>(target_logit))
                  : static_cast<double>(__builtin_nanf(""));
    const float scaled_inverse = scale / sum_exp;
    in_vectors(n, [&](size_t j, size_t count) {
      store_up_to(row + j, load_up_to(row + j, count) * scaled_inverse, count);
    });
    row[targets[r]] -= scale;
  }
  return loss;
}

constexpr size_t max_multiples = 64;

double sigreg(const float* cosine, const float* sine, size_t slices, size_t multiples,
              const float* phi, const float* weight, float* d_angle) {
  vec cosines[max_multiples + 1];
  vec sines[max_multiples + 1];
  for (size_t i = 0; i <= multiples; ++i) cosines[i] = sines[i] = vec::zero();
  in_vectors(slices, [&](size_t k, size_t count) {
    const vec c1 = load_up_to(cosine + k, count);
    const vec s1 = load_up_to(sine + k, count);
    vec c = c1;
    vec s = s1;
    for (size_t i = 1; i <= multiples; ++i) {
      cosines[i] += c;
      sines[i] += s;
      const vec next = c * c1 - s * s1;
      s = s * c1 + c * s1;
      c = next;
    }
  });
  const auto inverse = 1.0f / static_cast<float>(slices);
  double statistic = 0;
  // the derivative of the statistic with respect to each multiple
  float d_cosine[max_multiples + 1];
  float d_sine[max_multiples + 1];
  for (size_t i = 1; i <= multiples; ++i) {
    const float cosine_error = sum_of(cosines[i]) * inverse - phi[i];
    const float mean_sine = sum_of(sines[i]) * inverse;
    statistic +=
        static_cast<double>((cosine_error * cosine_error + mean_sine * mean_sine) * weight[i]);
    d_cosine[i] = -2.0f * weight[i] * cosine_error * inverse * static_cast<float>(i);
    d_sine[i] = 2.0f * weight[i] * mean_sine * inverse * static_cast<float>(i);
  }
  in_vectors(slices, [&](size_t k, size_t count) {
    const vec c1 = load_up_to(cosine + k, count);
    const vec s1 = load_up_to(sine + k, count);
    vec c = c1;
    vec s = s1;
    vec derivative = vec::zero();
    for (size_t i = 1; i <= multiples; ++i) {
      derivative += s * d_cosine[i] + c * d_sine[i];
      const vec next = c * c1 - s * s1;
      s = s * c1 + c * s1;
      c = next;
    }
    store_up_to(d_angle + k, derivative, count);
  });
  return statistic;
}

double sum_of_squares(const float* x, size_t count) {
  using wide = simd::doubles<isa_here>;
  wide sum = wide::all(0);
  in_vectors(count, [&](size_t i, size_t some) {
    const wide value = widen(load_up_to(x + i, some));
    sum = value * value + sum;
  });
  double each[lanes];
  sum.store(each);
  double total = 0;
  for (const double part : each) total += part;
  return total;
}

void adamw(float* __restrict parameters, float* __restrict m, float* __restrict v,
           const float* __restrict gradients, size_t count, const adamw_scalars& scalars) {
  constexpr float beta_1 = 0.9f;
  constexpr float beta_2 = 0.95f;
  const adamw_scalars s = scalars;
  for (size_t i = 0; i < count; ++i) {
    const float gradient = gradients[i] * s.gradient_scale;
    m[i] = beta_1 * m[i] + (1 - beta_1) * gradient;
    v[i] = beta_2 * v[i] + (1 - beta_2) * gradient * gradient;
    parameters[i] = parameters[i] * s.weight_decay_keep -
                    s.step_size * m[i] / (__builtin_sqrtf(v[i] * s.v_correction) + 1e-8f);
  }
}
