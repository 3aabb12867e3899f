// Causal attention of one head of one sequence, made of the tiles of product.hpp. Forward keeps the
// scores of `tile_rows` queries at all of their keys. Backward goes through blocks of `key_block`
// keys and, for each of them, through blocks of `query_block` queries; it computes the
// probabilities again from the log-sum-exp that forward saved. `factors`, which the including file
// names, is the precision of the products.
//
// With P = softmax(Q K^T / sqrt(W)) and O = P V:
//   d_V = P^T d_O,  d_scores = P * (d_O V^T - delta),  delta = the row sums of d_O * O,
//   d_Q = d_scores K / sqrt(W),  d_K = d_scores^T Q / sqrt(W).

/// The memory that one head needs. s is S rounded up to whole tiles and then to whole panels, w is
/// W rounded up to whole panels.
struct head_buffers {
  size_t s, w, blocks;  // `blocks` counts the blocks of `depth` columns in W
  float *q, *k;         // [S][W], rotated; q is multiplied by 1 / sqrt(W) as well
  float *packed_k_transposed, *packed_v_transposed;  // packed [W][S]
  float *packed_k, *packed_v;                        // packed [S][W]
  float *packed_q, *packed_d_out;                    // packed [S][W]
  float *dq, *dk, *dv;                               // [s][w]
  float *q_rows, *d_out_rows;                        // blocks of rows for the left-hand side
  float* probs;     // forward: the scores of one tile of queries at all keys; backward: one block
  float* d_scores;  // one block of queries at one block of keys
  float* delta;     // [S]
  // scores in the form of product factors
  float *factor_rows, *probs_transposed, *d_scores_transposed;
};

/// Divides scratch into the buffers. When scratch is null it only counts. Returns the number of
/// floats.
SOMA_INLINE size_t lay_out(const attention_shape& a, float* scratch, head_buffers& b) {
  b.s = round_up(round_up(a.length, tile_rows), panel);
  b.w = round_up(a.head_dim, panel);
  b.blocks = (a.head_dim + depth - 1) / depth;
  const size_t area = b.s * b.w;
  size_t used = 0;
  const auto take = [&](float*& buffer, size_t count) {
    buffer = scratch == nullptr ? nullptr : scratch + used;
    used += round_up(count, lanes);
  };
  float** const areas[] = {&b.q,
                           &b.k,
                           &b.packed_k_transposed,
                           &b.packed_v_transposed,
                           &b.packed_k,
                           &b.packed_v,
                           &b.packed_q,
                           &b.packed_d_out,
                           &b.dq,
                           &b.dk,
                           &b.dv};
  for (float** buffer : areas) take(*buffer, area);
  take(b.q_rows, b.blocks * query_block * pitch);
  take(b.d_out_rows, b.blocks * query_block * pitch);
  const size_t key_blocks = (a.length + key_block - 1) / key_block;
  take(b.probs, max(query_block, key_blocks * tile_rows) * pitch);
  take(b.d_scores, query_block * pitch);
  take(b.delta, b.s);
  take(b.factor_rows, max(query_block, key_blocks * tile_rows) * pitch);
  take(b.probs_transposed, query_block * pitch);
  take(b.d_scores_transposed, query_block * pitch);
  return used;
}

size_t attention_scratch(const attention_shape& a) {
  head_buffers b{};
  return lay_out(a, nullptr, b);
}

/// y = the rotary embedding of one row x, times `scale`.
SOMA_INLINE void rotate(const float* x, const float* cosine, const float* sine, size_t half,
                        float scale, float* y) {
  for (size_t j = 0; j < half; ++j) {
    const float low = x[j] * cosine[j] - x[j + half] * sine[j];
    const float high = x[j + half] * cosine[j] + x[j] * sine[j];
    y[j] = low * scale;
    y[j + half] = high * scale;
  }
}

/// Copies the head's queries and keys out of qkv, rotated, and the queries scaled.
void load_head(const attention_shape& a, const head_buffers& b, const float* qkv,
               const float* cosine, const float* sine, float scale) {
  const size_t d = a.heads * a.head_dim;
  const size_t half = a.head_dim / 2;
  for (size_t i = 0; i < a.length; ++i) {
    const float* const from = qkv + i * 3 * d;
    rotate(from, cosine + i * half, sine + i * half, half, scale, b.q + i * a.head_dim);
    rotate(from + d, cosine + i * half, sine + i * half, half, 1.0f, b.k + i * a.head_dim);
  }
}

/// Copies rows of x [S][W], from row `first` on, into blocks of rows for the left-hand side.
SOMA_INLINE void load_rows(const attention_shape& a, const float* x, size_t stride, size_t first,
                           size_t rows, float* block) {
  for (size_t c = 0; c < a.head_dim; c += depth, block += query_block * factors::row_pitch) {
    factors::copy_rows(x + first * stride + c, stride, rows, min(depth, a.head_dim - c), block);
  }
}

/// t += the rows of the left-hand blocks times one panel of a packed [W][n].
SOMA_INLINE void accumulate_over_head(tile& t, const attention_shape& a, const float* left,
                                      const float* right) {
  for (size_t c = 0; c < a.head_dim; c += depth) {
    factors::accumulate_rows(t, left + c / depth * query_block * factors::row_pitch,
                             right + factors::steps(c) * panel, min(depth, a.head_dim - c));
  }
}

/// The causal mask: `value` where the key's number is at most `query`, and 0 after it.
SOMA_INLINE vec causal(vec value, vec key, float query) {
  return select(key <= all(query), value, vec::zero());
}

/// The softmax of one row: the scores of query i at the `count` keys before the end of its tile
/// become e^(score - maximum), which the caller still divides by the returned sum. The scores
/// stand in blocks of `key_block` keys that are `stride` apart.
SOMA_INLINE float softmax_row(float* row, size_t stride, size_t i, size_t count,
                              float& row_log_sum_exp) {
  const auto query = static_cast<float>(i);
  vec lane_max = all(-3.0e38f);
  for (size_t j = 0; j < count; j += lanes) {
    const vec key = lane_numbers() + static_cast<float>(j);
    const vec score = load(row + j / key_block * stride + j % key_block);
    lane_max = larger(lane_max, select(key <= all(query), score, all(-3.0e38f)));
  }
  const float row_max = max_of(lane_max);
  vec sum = vec::zero();
  for (size_t j = 0; j < count; j += lanes) {
    float* const at = row + j / key_block * stride + j % key_block;
    const vec key = lane_numbers() + static_cast<float>(j);
    const vec e = causal(exp_of(load(at) - row_max), key, query);
    store(at, e);
    sum += e;
  }
  const float sum_exp = sum_of(sum);
  row_log_sum_exp = row_max + __builtin_logf(sum_exp);
  return sum_exp;
}

void attention_forward(const attention_shape& a, const float* qkv, const float* cosine,
                       const float* sine, float* out, float* log_sum_exp, float* scratch) {
  head_buffers b{};
  lay_out(a, scratch, b);
  const size_t d = a.heads * a.head_dim;
  load_head(a, b, qkv, cosine, sine, 1.0f / __builtin_sqrtf(static_cast<float>(a.head_dim)));
  factors::pack(b.k, 1, a.head_dim, a.head_dim, a.length, b.packed_k_transposed);
  factors::pack(qkv + 2 * d, 3 * d, 1, a.length, a.head_dim, b.packed_v);
  for (size_t first = 0; first < a.length; first += tile_rows) {
    const size_t rows = min(tile_rows, a.length - first);
    const size_t count = first + rows;
    load_rows(a, b.q, a.head_dim, first, rows, b.q_rows);
    for (size_t j = 0; j < count; j += panel) {
      tile t;
      accumulate_over_head(t, a, b.q_rows, b.packed_k_transposed + j * factors::steps(a.head_dim));
      t.write_to(b.probs + j / key_block * tile_rows * pitch + j % key_block, pitch);
    }
    float inverse_sums[tile_rows] = {};
    for (size_t r = 0; r < rows; ++r) {
      inverse_sums[r] = 1.0f / softmax_row(b.probs + r * pitch, tile_rows * pitch, first + r, count,
                                           log_sum_exp[first + r]);
    }
    const float* probs = nullptr;
    for (size_t j = 0; j < count; j += key_block) {
      const float* const block = factors::as_rows(
          b.probs + j / key_block * tile_rows * pitch, tile_rows, min(key_block, count - j),
          b.factor_rows + j / key_block * tile_rows * factors::row_pitch);
      if (j == 0) probs = block;
    }
    for (size_t c = 0; c < a.head_dim; c += panel) {
      tile t;
      for (size_t j = 0; j < count; j += key_block) {
        factors::accumulate_rows(
            t, probs + j / key_block * tile_rows * factors::row_pitch,
            b.packed_v + c * factors::steps(a.length) + factors::steps(j) * panel,
            min(key_block, count - j));
      }
      t.scale_rows(inverse_sums);
      store_tile(t, out + first * d + c, d, rows, min(panel, a.head_dim - c), false, nullptr);
    }
  }
}

/// A block of scores becomes probs, and a block of d_probs becomes d_scores. `from` is the number
/// of the block's first key.
SOMA_INLINE void softmax_backward(const head_buffers& b, size_t first, size_t rows, size_t from,
                                  size_t columns, const float* log_sum_exp) {
  for (size_t r = 0; r < rows; ++r) {
    float* const prob = b.probs + r * pitch;
    float* const d_score = b.d_scores + r * pitch;
    const vec row_delta = all(b.delta[first + r]);
    const vec row_log_sum_exp = all(log_sum_exp[first + r]);
    const auto query = static_cast<float>(first + r);
    for (size_t j = 0; j < columns; j += lanes) {
      const vec key = lane_numbers() + static_cast<float>(from + j);
      const vec p = causal(exp_of(load(prob + j) - row_log_sum_exp), key, query);
      store(prob + j, p);
      store(d_score + j, causal(p * (load(d_score + j) - row_delta), key, query));
    }
  }
}

/// Computes the scores, and d_probs = d_O V^T, of the queries from `first` on at the keys from
/// `from` on. It goes tile by tile and skips tiles in which the last query sees no key.
SOMA_INLINE void score_block(const attention_shape& a, const head_buffers& b, size_t first,
                             size_t rows, size_t from, size_t columns) {
  for (size_t r = 0; r < rows; r += tile_rows) {
    for (size_t j = 0; j < columns && from + j < first + r + tile_rows; j += panel) {
      tile scores;
      accumulate_over_head(scores, a, b.q_rows + r * factors::row_pitch,
                           b.packed_k_transposed + (from + j) * factors::steps(a.head_dim));
      scores.write_to(b.probs + r * pitch + j, pitch);
      tile d_probs;
      accumulate_over_head(d_probs, a, b.d_out_rows + r * factors::row_pitch,
                           b.packed_v_transposed + (from + j) * factors::steps(a.head_dim));
      d_probs.write_to(b.d_scores + r * pitch + j, pitch);
    }
  }
}

/// Adds the part of one block of queries and keys to dq, dk and dv.
SOMA_INLINE void accumulate_gradients(const attention_shape& a, const head_buffers& b, size_t first,
                                      size_t rows, size_t from, size_t columns) {
  const float* const d_scores = factors::as_rows(b.d_scores, rows, columns, b.factor_rows);
  const float* const d_scores_transposed =
      factors::as_transposed(b.d_scores, rows, columns, b.d_scores_transposed);
  const float* const probs_transposed =
      factors::as_transposed(b.probs, rows, columns, b.probs_transposed);
  for (size_t c = 0; c < a.head_dim; c += panel) {
    const size_t column = c * factors::steps(a.length);
    for (size_t r = 0; r < rows; r += tile_rows) {
      if (first + r + tile_rows <= from) continue;
      tile t;
      factors::accumulate_rows(t, d_scores + r * factors::row_pitch,
                               b.packed_k + column + factors::steps(from) * panel,
                               min(columns, first + r + tile_rows - from));
      t.add_to(b.dq + (first + r) * b.w + c, b.w);
    }
    for (size_t j = 0; j < columns; j += tile_rows) {
      // Queries before the key do not see it.
      const size_t skip = from + j > first ? from + j - first : 0;
      if (skip >= rows) break;
      const size_t left = factors::steps(skip) * pitch + j;
      const size_t right = column + factors::steps(first + skip) * panel;
      tile keys;
      factors::accumulate_transposed(keys, d_scores_transposed + left, b.packed_q + right,
                                     rows - skip);
      keys.add_to(b.dk + (from + j) * b.w + c, b.w);
      tile values;
      factors::accumulate_transposed(values, probs_transposed + left, b.packed_d_out + right,
                                     rows - skip);
      values.add_to(b.dv + (from + j) * b.w + c, b.w);
    }
  }
}

/// Writes the head's gradients to d_qkv. The gradient of a rotation is the rotation back.
void store_head(const attention_shape& a, const head_buffers& b, float* d_qkv, const float* cosine,
                const float* sine, float scale) {
  const size_t d = a.heads * a.head_dim;
  const size_t half = a.head_dim / 2;
  for (size_t i = 0; i < a.length; ++i) {
    float* const to = d_qkv + i * 3 * d;
    const float* const dq = b.dq + i * b.w;
    const float* const dk = b.dk + i * b.w;
    for (size_t j = 0; j < half; ++j) {
      const float c = cosine[i * half + j];
      const float s = sine[i * half + j];
      to[j] = (dq[j] * c + dq[j + half] * s) * scale;
      to[j + half] = (dq[j + half] * c - dq[j] * s) * scale;
      to[d + j] = dk[j] * c + dk[j + half] * s;
      to[d + j + half] = dk[j + half] * c - dk[j] * s;
    }
    __builtin_memcpy(to + 2 * d, b.dv + i * b.w, a.head_dim * sizeof(float));
  }
}

void attention_backward(const attention_shape& a, const float* qkv, const float* cosine,
                        const float* sine, const float* out, const float* log_sum_exp,
                        const float* d_out, float* d_qkv, float* scratch) {
  head_buffers b{};
  lay_out(a, scratch, b);
  const size_t d = a.heads * a.head_dim;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(a.head_dim));
  load_head(a, b, qkv, cosine, sine, scale);
  factors::pack(b.k, 1, a.head_dim, a.head_dim, a.length, b.packed_k_transposed);
  factors::pack(b.k, a.head_dim, 1, a.length, a.head_dim, b.packed_k);
  factors::pack(qkv + 2 * d, 1, 3 * d, a.head_dim, a.length, b.packed_v_transposed);
  factors::pack(b.q, a.head_dim, 1, a.length, a.head_dim, b.packed_q);
  factors::pack(d_out, d, 1, a.length, a.head_dim, b.packed_d_out);
  zero(b.dq, b.s * b.w);
  zero(b.dk, b.s * b.w);
  zero(b.dv, b.s * b.w);
  for (size_t i = 0; i < a.length; ++i) {
    float row_delta = 0;
    for (size_t w = 0; w < a.head_dim; ++w) row_delta += d_out[i * d + w] * out[i * d + w];
    b.delta[i] = row_delta;
  }
  for (size_t from = 0; from < a.length; from += key_block) {
    for (size_t first = from; first < a.length; first += query_block) {
      const size_t rows = min(query_block, a.length - first);
      const size_t columns = min(key_block, first + rows - from);
      const size_t padded_columns = round_up(round_up(columns, tile_rows), lanes);
      load_rows(a, b.q, a.head_dim, first, rows, b.q_rows);
      load_rows(a, d_out, d, first, rows, b.d_out_rows);
      score_block(a, b, first, rows, from, columns);
      softmax_backward(b, first, rows, from, padded_columns, log_sum_exp);
      for (size_t r = rows; r < round_up(rows, tile_rows); ++r) {
        zero(b.d_scores + r * pitch, padded_columns);
      }
      accumulate_gradients(a, b, first, rows, from, columns);
    }
  }
  store_head(a, b, d_qkv, cosine, sine, scale);
}

constexpr attention_kernels attention_by_tiles = {attention_forward, attention_backward,
                                                  attention_scratch};
