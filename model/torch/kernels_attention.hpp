// Causal attention of one head of one sequence, built of the tiles of kernels_product.hpp. Forward
// keeps the scores of `tile_rows` queries at all of their keys; backward goes through blocks of
// `depth` keys and, for each, of `query_block` queries, and computes probabilities again from the
// saved denominators. `factors`, named before this comes in, is the precision of its products.

constexpr size_t query_block = 64;
static_assert(query_block % tile_rows == 0 && depth % query_block == 0);

/// What one head needs. Letters: s slots up to whole panels and tiles, w the width likewise.
struct head_buffers {
  size_t s, w, blocks;      // blocks: of `depth` columns of the width
  float *q, *k;             // [slots][width], rotated, q scaled as well
  float *k_wide, *v_wide;   // packed [width][slots]
  float *k_tall, *v_tall;   // packed [slots][width]
  float *q_tall, *g_tall;   // packed [slots][width]: queries, the gradient of the result
  float *dq, *dk, *dv;      // [s][w]
  float *left, *pulled;     // blocks of rows for the left side: queries and gradients of the result
  float *chances, *slopes;  // scores of a block of queries at a block of keys; forward: at all keys
  float* pulls;             // [slots]
  float *narrow, *chances_across, *slopes_across;  // room for scores as factors
};

/// Cuts scratch into the buffers; null scratch only counts. Returns the floats it takes.
SOMA_INLINE size_t carve(const attention_shape& a, float* scratch, head_buffers& b) {
  b.s = up_to(a.slots, greater(panel, tile_rows));
  b.w = up_to(a.width, panel);
  b.blocks = (a.width + depth - 1) / depth;
  const size_t area = b.s * b.w;
  size_t used = 0;
  const auto take = [&](float*& place, size_t count) {
    place = scratch == nullptr ? nullptr : scratch + used;
    used += up_to(count, lanes);
  };
  float** const areas[] = {&b.q,      &b.k,      &b.k_wide, &b.v_wide, &b.k_tall, &b.v_tall,
                           &b.q_tall, &b.g_tall, &b.dq,     &b.dk,     &b.dv};
  for (float** place : areas) take(*place, area);
  take(b.left, b.blocks * query_block * pitch);
  take(b.pulled, b.blocks * query_block * pitch);
  const size_t key_blocks = (a.slots + depth - 1) / depth;
  take(b.chances, greater(query_block, key_blocks * tile_rows) * pitch);
  take(b.slopes, query_block * pitch);
  take(b.pulls, b.s);
  take(b.narrow, greater(query_block, key_blocks * tile_rows) * pitch);
  take(b.chances_across, query_block * pitch);
  take(b.slopes_across, query_block * pitch);
  return used;
}

size_t attention_scratch(const attention_shape& a) {
  head_buffers b{};
  return carve(a, nullptr, b);
}

SOMA_INLINE void turn(const float* x, const float* cosine, const float* sine, size_t half,
                      float scale, float* y) {
  for (size_t j = 0; j < half; ++j) {
    const float low = x[j] * cosine[j] - x[j + half] * sine[j];
    const float high = x[j + half] * cosine[j] + x[j] * sine[j];
    y[j] = low * scale;
    y[j + half] = high * scale;
  }
}

/// Takes queries and keys out of qkv, rotated, queries scaled.
void take_head(const attention_shape& a, const head_buffers& b, const float* qkv,
               const float* cosine, const float* sine, float scale) {
  const size_t d = a.heads * a.width;
  const size_t half = a.width / 2;
  for (size_t i = 0; i < a.slots; ++i) {
    const float* const from = qkv + i * 3 * d;
    turn(from, cosine + i * half, sine + i * half, half, scale, b.q + i * a.width);
    turn(from + d, cosine + i * half, sine + i * half, half, 1.0f, b.k + i * a.width);
  }
}

/// rows of [slots][width] from `first` on into blocks of rows for the left side.
SOMA_INLINE void take_left(const attention_shape& a, const float* x, size_t stride, size_t first,
                           size_t rows, float* left) {
  for (size_t c = 0; c < a.width; c += depth, left += query_block * factors::row_pitch) {
    factors::take_rows(x + first * stride + c, stride, rows, lesser(depth, a.width - c), left);
  }
}

/// t += rows of the left blocks times one panel of a packed [width][n].
SOMA_INLINE void grow_over_width(tile& t, const attention_shape& a, const float* left,
                                 const float* right) {
  for (size_t c = 0; c < a.width; c += depth) {
    factors::grow_rows(t, left + c / depth * query_block * factors::row_pitch,
                       right + factors::steps(c) * panel, lesser(depth, a.width - c));
  }
}

SOMA_INLINE vec kept(vec value, vec at, float last) {
  return at <= all(last) ? value : vec{};
}

/// Scores of query i at the keys before `count`, in blocks of `stride`, become probabilities that
/// still want to be divided by the denominator; returns that, and its logarithm.
SOMA_INLINE float soften(float* row, size_t stride, size_t i, size_t count, float& log_sum) {
  const auto last = static_cast<float>(i);
  vec best = all(-3.0e38f);
  for (size_t j = 0; j < count; j += lanes) {
    const vec at = lane_numbers() + static_cast<float>(j);
    const vec score = load(row + j / depth * stride + j % depth);
    best = larger(best, at <= all(last) ? score : all(-3.0e38f));
  }
  const float top = largest_of(best);
  vec sum = {};
  for (size_t j = 0; j < count; j += lanes) {
    float* const place = row + j / depth * stride + j % depth;
    const vec e = kept(exp_of(load(place) - top), lane_numbers() + static_cast<float>(j), last);
    store(place, e);
    sum += e;
  }
  const float total = sum_of(sum);
  log_sum = top + __builtin_logf(total);
  return total;
}

void attention_forward(const attention_shape& a, const float* qkv, const float* cosine,
                       const float* sine, float* out, float* log_sums, float* scratch) {
  head_buffers b{};
  carve(a, scratch, b);
  const size_t d = a.heads * a.width;
  take_head(a, b, qkv, cosine, sine, 1.0f / __builtin_sqrtf(static_cast<float>(a.width)));
  factors::pack(b.k, 1, a.width, a.width, a.slots, b.k_wide);
  factors::pack(qkv + 2 * d, 3 * d, 1, a.slots, a.width, b.v_tall);
  for (size_t first = 0; first < a.slots; first += tile_rows) {
    const size_t rows = lesser(tile_rows, a.slots - first);
    const size_t count = first + rows;
    take_left(a, b.q, a.width, first, rows, b.left);
    for (size_t j = 0; j < count; j += panel) {
      tile t;
      grow_over_width(t, a, b.left, b.k_wide + j * factors::steps(a.width));
      t.put(b.chances + j / depth * tile_rows * pitch + j % depth, pitch);
    }
    float shares[tile_rows] = {};
    for (size_t r = 0; r < rows; ++r) {
      shares[r] = 1.0f / soften(b.chances + r * pitch, tile_rows * pitch, first + r, count,
                                log_sums[first + r]);
    }
    const float* left = nullptr;
    for (size_t j = 0; j < count; j += depth) {
      const float* const block = factors::rows_of(
          b.chances + j / depth * tile_rows * pitch, tile_rows, lesser(depth, count - j),
          b.narrow + j / depth * tile_rows * factors::row_pitch);
      if (j == 0) left = block;
    }
    for (size_t c = 0; c < a.width; c += panel) {
      tile t;
      for (size_t j = 0; j < count; j += depth) {
        factors::grow_rows(t, left + j / depth * tile_rows * factors::row_pitch,
                           b.v_tall + c * factors::steps(a.slots) + factors::steps(j) * panel,
                           lesser(depth, count - j));
      }
      for (size_t r = 0; r < tile_rows; ++r) {
        for (size_t v = 0; v < tile_vecs; ++v) t.sum[r][v] *= all(shares[r]);
      }
      put_tile(t, out + first * d + c, d, rows, lesser(panel, a.width - c), false, nullptr);
    }
  }
}

/// A block of scores becomes probabilities, a block of their pulls the gradient of the scores.
/// `from`: the first key; the first of `columns` stands at it.
SOMA_INLINE void slope_rows(const head_buffers& b, size_t first, size_t rows, size_t from,
                            size_t columns, const float* log_sums) {
  for (size_t r = 0; r < rows; ++r) {
    float* const chance = b.chances + r * pitch;
    float* const slope = b.slopes + r * pitch;
    const vec pull = all(b.pulls[first + r]);
    const vec log_sum = all(log_sums[first + r]);
    const auto last = static_cast<float>(first + r);
    for (size_t j = 0; j < columns; j += lanes) {
      const vec at = lane_numbers() + static_cast<float>(from + j);
      const vec p = kept(exp_of(load(chance + j) - log_sum), at, last);
      store(chance + j, p);
      store(slope + j, kept(p * (load(slope + j) - pull), at, last));
    }
  }
}

/// Scores and their pulls of queries first.. at keys from.., tile by tile, where a tile has a key
/// that its last query may see.
SOMA_INLINE void score_block(const attention_shape& a, const head_buffers& b, size_t first,
                             size_t rows, size_t from, size_t columns) {
  for (size_t r = 0; r < rows; r += tile_rows) {
    for (size_t j = 0; j < columns && from + j < first + r + tile_rows; j += panel) {
      tile scores;
      grow_over_width(scores, a, b.left + r * factors::row_pitch,
                      b.k_wide + (from + j) * factors::steps(a.width));
      scores.put(b.chances + r * pitch + j, pitch);
      tile pulls;
      grow_over_width(pulls, a, b.pulled + r * factors::row_pitch,
                      b.v_wide + (from + j) * factors::steps(a.width));
      pulls.put(b.slopes + r * pitch + j, pitch);
    }
  }
}

/// Adds what one block of queries and keys has to say to the gradients of queries, keys and values.
SOMA_INLINE void grow_gradients(const attention_shape& a, const head_buffers& b, size_t first,
                                size_t rows, size_t from, size_t columns) {
  const float* const slopes = factors::rows_of(b.slopes, rows, columns, b.narrow);
  const float* const slopes_across = factors::across_of(b.slopes, rows, columns, b.slopes_across);
  const float* const chances_across =
      factors::across_of(b.chances, rows, columns, b.chances_across);
  for (size_t c = 0; c < a.width; c += panel) {
    const size_t column = c * factors::steps(a.slots);
    for (size_t r = 0; r < rows; r += tile_rows) {
      if (first + r + tile_rows <= from) continue;
      tile t;
      factors::grow_rows(t, slopes + r * factors::row_pitch,
                         b.k_tall + column + factors::steps(from) * panel,
                         lesser(columns, first + r + tile_rows - from));
      t.add_to(b.dq + (first + r) * b.w + c, b.w);
    }
    for (size_t j = 0; j < columns; j += tile_rows) {
      // Queries before the key see nothing of it.
      const size_t skip = from + j > first ? from + j - first : 0;
      if (skip >= rows) break;
      const size_t left = factors::steps(skip) * pitch + j;
      const size_t right = column + factors::steps(first + skip) * panel;
      tile keys;
      factors::grow_across(keys, slopes_across + left, b.q_tall + right, rows - skip);
      keys.add_to(b.dk + (from + j) * b.w + c, b.w);
      tile values;
      factors::grow_across(values, chances_across + left, b.g_tall + right, rows - skip);
      values.add_to(b.dv + (from + j) * b.w + c, b.w);
    }
  }
}

/// Puts one head's gradients back: turns them back by the same angles.
void give_head(const attention_shape& a, const head_buffers& b, float* qkv, const float* cosine,
               const float* sine, float scale) {
  const size_t d = a.heads * a.width;
  const size_t half = a.width / 2;
  for (size_t i = 0; i < a.slots; ++i) {
    float* const to = qkv + i * 3 * d;
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
    __builtin_memcpy(to + 2 * d, b.dv + i * b.w, a.width * sizeof(float));
  }
}

void attention_backward(const attention_shape& a, const float* qkv, const float* cosine,
                        const float* sine, const float* out, const float* log_sums,
                        const float* out_gradient, float* qkv_gradient, float* scratch) {
  head_buffers b{};
  carve(a, scratch, b);
  const size_t d = a.heads * a.width;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(a.width));
  take_head(a, b, qkv, cosine, sine, scale);
  factors::pack(b.k, 1, a.width, a.width, a.slots, b.k_wide);
  factors::pack(b.k, a.width, 1, a.slots, a.width, b.k_tall);
  factors::pack(qkv + 2 * d, 1, 3 * d, a.width, a.slots, b.v_wide);
  factors::pack(b.q, a.width, 1, a.slots, a.width, b.q_tall);
  factors::pack(out_gradient, d, 1, a.slots, a.width, b.g_tall);
  zero(b.dq, b.s * b.w);
  zero(b.dk, b.s * b.w);
  zero(b.dv, b.s * b.w);
  for (size_t i = 0; i < a.slots; ++i) {
    float pull = 0;
    for (size_t w = 0; w < a.width; ++w) pull += out_gradient[i * d + w] * out[i * d + w];
    b.pulls[i] = pull;
  }
  for (size_t from = 0; from < a.slots; from += depth) {
    for (size_t first = from; first < a.slots; first += query_block) {
      const size_t rows = lesser(query_block, a.slots - first);
      const size_t columns = lesser(depth, first + rows - from);
      const size_t whole = up_to(columns, greater(lanes, tile_rows));
      take_left(a, b.q, a.width, first, rows, b.left);
      take_left(a, out_gradient, d, first, rows, b.pulled);
      score_block(a, b, first, rows, from, columns);
      slope_rows(b, first, rows, from, whole, log_sums);
      for (size_t r = rows; r < up_to(rows, tile_rows); ++r) zero(b.slopes + r * pitch, whole);
      grow_gradients(a, b, first, rows, from, columns);
    }
  }
  give_head(a, b, qkv_gradient, cosine, sine, scale);
}

constexpr attention_kernels attention_by_tiles = {attention_forward, attention_backward,
                                                  attention_scratch};
