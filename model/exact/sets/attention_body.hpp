// The attention of one head for the queries of one block, arithmetic §5.5.
#pragma once

#include "model/exact/sets/products_body.hpp"

namespace soma::exact {
namespace {

inline constexpr float token_numbers[block_tokens] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                      11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                      22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

template <class Isa>
struct attention {
  using F = floats<Isa>;
  static constexpr size_t lanes = Isa::lanes;
  static constexpr size_t panel = products<Isa>::panel;

  static void pack_keys(const float* from, size_t head_dim, size_t first, float* to) {
    size_t t = 0;
    while (t < block_tokens) {
      const size_t column = (first + t) % panel;
      float* const rows = to + (first + t) / panel * panel * head_dim + column;
      if (column == 0 && t + panel <= block_tokens) {
        for (size_t w = 0; w < head_dim; ++w) {
          __builtin_memcpy(rows + w * panel, from + w * block_tokens + t, panel * sizeof(float));
        }
        t += panel;
      } else {  // a panel that this block shares with the one before or after it
        const size_t rest = block_tokens - t;
        const size_t count = panel - column < rest ? panel - column : rest;
        for (size_t w = 0; w < head_dim; ++w) {
          for (size_t i = 0; i < count; ++i) rows[w * panel + i] = from[w * block_tokens + t + i];
        }
        t += count;
      }
    }
  }

  static void pack_values(const float* from, size_t head_dim, size_t padded_length, size_t first,
                          float* to) {
    for (size_t w = 0; w < head_dim; w += panel) {
      float* at = to + w * padded_length + first * panel;
      const float* const rows = from + w * block_tokens;
      const size_t real = head_dim - w < panel ? head_dim - w : panel;
      for (size_t t = 0; t < block_tokens; ++t, at += panel) {
        if (real == panel) {
          for (size_t i = 0; i < panel; ++i) at[i] = rows[i * block_tokens + t];
        } else {
          for (size_t i = 0; i < panel; ++i) at[i] = i < real ? rows[i * block_tokens + t] : 0;
        }
      }
    }
  }

  static size_t scratch(size_t head_dim, size_t padded_length) {
    return (round_up(padded_length, panel) + round_up(head_dim, panel)) * block_tokens;
  }

  /// Whether each token of a vector, the first of which is `t`, sees key j of its own block.
  SOMA_LANES static auto sees(size_t t, size_t j) {
    return F::load(token_numbers + t) >= F::all(token_numbers[j]);
  }

  /// A softmax over the columns of `scores` without its division, a part of the keys at a time: all
  /// maxima first, then the exponentials. Keys after the query count in neither.
  struct column_softmax {
    static constexpr size_t columns = block_tokens / lanes;
    template <class Work>
    SOMA_LANES static void each(const Work& work) {
      simd::unrolled<0, columns>(work);
    }

    float* scores;
    F factor;
    F maximum[columns];
    F sums[sum_lanes][columns];

    SOMA_LANES column_softmax(float* scores_at, float scale)
        : scores(scores_at), factor(F::all(scale)) {
      for (auto& m : maximum) m = F::all(-__builtin_inff());
      for (auto& lane : sums) {
        for (auto& s : lane) s = F::zero();
      }
    }
    [[nodiscard]] SOMA_LANES F score(size_t key, size_t column) const {
      return F::load(scores + key * block_tokens + column * lanes) * factor;
    }

    void raise_maxima(size_t first_key, size_t last_key) {
      F m[columns];
      each([&](auto c) [[gnu::always_inline]] { m[c.value] = maximum[c.value]; });
      for (size_t key = first_key; key < last_key; ++key) {
        each([&](auto c)
                 [[gnu::always_inline]] { m[c.value] = max(score(key, c.value), m[c.value]); });
      }
      each([&](auto c) [[gnu::always_inline]] { maximum[c.value] = m[c.value]; });
    }
    void raise_own_maxima(size_t own) {
      for (size_t j = 0; j < block_tokens; ++j) {
        for (size_t c = 0; c < columns; ++c) {
          const F larger = max(score(own + j, c), maximum[c]);
          maximum[c] = select(sees(c * lanes, j), larger, maximum[c]);
        }
      }
    }

    /// A score becomes e^(score - maximum).
    void exponentiate(size_t first_key, size_t last_key) {
      F m[columns];
      each([&](auto c) [[gnu::always_inline]] { m[c.value] = maximum[c.value]; });
      for (size_t key = first_key; key < last_key; ++key) {
        F* const sum = sums[key % sum_lanes];
        each([&](auto c) [[gnu::always_inline]] {
          const F e = exp(score(key, c.value) - m[c.value]);
          e.store(scores + key * block_tokens + c.value * lanes);
          sum[c.value] = sum[c.value] + e;
        });
      }
    }
    void exponentiate_own(size_t own) {
      for (size_t j = 0; j < block_tokens; ++j) {
        for (size_t c = 0; c < columns; ++c) {
          const F e = select(sees(c * lanes, j), exp(score(own + j, c) - maximum[c]), F::zero());
          e.store(scores + (own + j) * block_tokens + c * lanes);
          sums[j % sum_lanes][c] = sums[j % sum_lanes][c] + e;
        }
      }
    }
    /// 1 / the sum of a column's exponentials.
    [[nodiscard]] SOMA_LANES F inverse_sum(size_t column) const {
      typename column_sums<Isa>::lane_sums s;
      for (size_t l = 0; l < sum_lanes; ++l) s.lane[l] = sums[l][column];
      return F::all(1.0f) / s.fold();
    }
  };

  /// The keys of the query's own block in the weighted sum of values. A key after the query is not
  /// added, not even as 0 * value. So the first keys are added for all tokens of a vector, the next
  /// ones for some, and the last ones for none.
  static void weigh_own_block(const float* values, const float* weights, float* out, bool fresh) {
    for (size_t t = 0; t < block_tokens; t += lanes) {
      F sum[panel];
      for (size_t w = 0; w < panel; ++w) {
        sum[w] = fresh ? F::zero() : F::load(out + w * block_tokens + t);
      }
      for (size_t j = 0; j <= t; ++j) {
        const F weight = F::load(weights + j * block_tokens + t);
        for (size_t w = 0; w < panel; ++w) {
          sum[w] = fma(weight, F::all(values[j * panel + w]), sum[w]);
        }
      }
      for (size_t j = t + 1; j < t + lanes; ++j) {
        const F weight = F::load(weights + j * block_tokens + t);
        const auto keep = sees(t, j);
        for (size_t w = 0; w < panel; ++w) {
          sum[w] = select(keep, fma(weight, F::all(values[j * panel + w]), sum[w]), sum[w]);
        }
      }
      for (size_t w = 0; w < panel; ++w) sum[w].store(out + w * block_tokens + t);
    }
  }

  /// The keys are taken in parts whose scores stay in the first-level cache between the product and
  /// what is done to them.
  static void attend(const attention_task& a) {
    constexpr size_t scored_together = 192;
    static_assert(scored_together % panel == 0 && depth_step % sum_lanes == 0);
    float* const scores = a.scratch;
    const size_t keys = a.first + block_tokens;
    float* const weighted = scores + round_up(keys, panel) * block_tokens;
    column_softmax softmax(scores, a.scale);
    for (size_t key = 0; key < keys; key += scored_together) {
      const size_t end = key + scored_together < keys ? key + scored_together : keys;
      products<Isa>::multiply({a.keys + key * a.head_dim, a.head_dim * panel, end - key, a.q, 0,
                               scores + key * block_tokens, 0, 1, a.head_dim, true});
      softmax.raise_maxima(key, end < a.first ? end : a.first);
    }
    softmax.raise_own_maxima(a.first);
    for (size_t key = 0; key < a.first; key += depth_step) {
      const size_t end = key + depth_step < a.first ? key + depth_step : a.first;
      softmax.exponentiate(key, end);
      products<Isa>::multiply({a.values + key * panel, a.padded_length * panel, a.head_dim,
                               scores + key * block_tokens, 0, weighted, 0, 1, end - key,
                               key == 0});
    }
    softmax.exponentiate_own(a.first);
    for (size_t w = 0; w < a.head_dim; w += panel) {
      weigh_own_block(a.values + w * a.padded_length + a.first * panel,
                      scores + a.first * block_tokens, weighted + w * block_tokens, a.first == 0);
    }
    for (size_t c = 0; c < column_softmax::columns; ++c) {
      const F inverse = softmax.inverse_sum(c);
      for (size_t w = 0; w < a.head_dim; ++w) {
        const size_t at = w * block_tokens + c * lanes;
        (F::load(weighted + at) * inverse).store(a.q + at);
      }
    }
  }
};

}  // namespace
}  // namespace soma::exact
