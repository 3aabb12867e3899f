// Matrix products in binary32, made of the tiles of tiles.hpp.

size_t packed_size(size_t k, size_t n) {
  return k * round_up(n, panel);
}

void pack(const float* b, size_t row_stride, size_t column_stride, size_t k, size_t n,
          float* packed) {
  for (size_t first = 0; first < n; first += panel, packed += k * panel) {
    const size_t columns = min(panel, n - first);
    const float* const from = b + first * column_stride;
    if (columns < panel) zero(packed, k * panel);
    if (column_stride == 1 && columns == panel) {
      for (size_t i = 0; i < k; ++i) {
        for (size_t v = 0; v < panel; v += lanes)
          store(packed + i * panel + v, load(from + i * row_stride + v));
      }
    } else {
      for (size_t j = 0; j < columns; ++j) {
        for (size_t i = 0; i < k; ++i)
          packed[i * panel + j] = from[i * row_stride + j * column_stride];
      }
    }
  }
}

size_t matmul_scratch(size_t rows) {
  return round_up(rows, tile_rows) * pitch;
}

/// Copies rows of a into rows that are `pitch` apart, and zeros into the rows that fill up the last
/// tile.
SOMA_INLINE void copy_rows(const float* a, size_t stride, size_t rows, size_t k, float* block) {
  for (size_t r = 0; r < rows; ++r)
    __builtin_memcpy(block + r * pitch, a + r * stride, k * sizeof(float));
  for (size_t r = rows; r < round_up(rows, tile_rows); ++r) zero(block + r * pitch, k);
}

void matmul(const float* a, size_t a_stride, const float* packed, size_t rows, size_t k, size_t n,
            float* c, size_t c_stride, bool add, const float* bias, float* scratch) {
  for (size_t from = 0; from < k; from += depth) {
    const size_t length = min(depth, k - from);
    copy_rows(a + from, a_stride, rows, length, scratch);
    const bool accumulate = add || from > 0;
    for (size_t j = 0; j < n; j += panel) {
      const float* const right = packed + j * k + from * panel;
      const float* const bias_row = bias == nullptr || from > 0 ? nullptr : bias + j;
      for (size_t r = 0; r < rows; r += tile_rows) {
        const size_t real_rows = min(tile_rows, rows - r);
        float* const to = c + r * c_stride + j;
        prefetch_result(to, c_stride, real_rows);
        tile t;
        t.accumulate<pitch, 1>(scratch + r * pitch, right, length);
        store_tile(t, to, c_stride, real_rows, min(panel, n - j), accumulate, bias_row);
      }
    }
  }
}

constexpr size_t transposed_scratch = depth * pitch + depth * round_up(transposed_limit, panel);

void matmul_transposed(const float* a, size_t a_stride, const float* b, size_t b_stride, size_t k,
                       size_t m, size_t n, float* c, size_t c_stride, float* scratch) {
  float* const right = scratch + depth * pitch;
  for (size_t from = 0; from < k; from += depth) {
    const size_t length = min(depth, k - from);
    for (size_t i = 0; i < length; ++i) {
      float* const row = scratch + i * pitch;
      __builtin_memcpy(row, a + (from + i) * a_stride, m * sizeof(float));
      zero(row + m, round_up(m, tile_rows) - m);
    }
    pack(b + from * b_stride, b_stride, 1, length, n, right);
    for (size_t j = 0; j < n; j += panel) {
      for (size_t r = 0; r < m; r += tile_rows) {
        tile t;
        t.accumulate<1, pitch>(scratch + r, right + j * length, length);
        store_tile(t, c + r * c_stride + j, c_stride, min(tile_rows, m - r), min(panel, n - j),
                   from > 0, nullptr);
      }
    }
  }
}

/// How attention sees the products of this precision. A packed [k][n] has steps(k) rows of panels.
struct float_factors {
  static constexpr size_t row_pitch = pitch;  // between the rows of a left-hand block
  static constexpr size_t steps(size_t k) { return k; }
  static void pack(const float* b, size_t row_stride, size_t column_stride, size_t k, size_t n,
                   float* packed) {
    training::pack(b, row_stride, column_stride, k, n, packed);
  }
  SOMA_INLINE static void copy_rows(const float* a, size_t stride, size_t rows, size_t k,
                                    float* block) {
    training::copy_rows(a, stride, rows, k, block);
  }
  /// A block of scores [rows][columns], whose rows are `pitch` apart, as the left-hand side of a
  /// product, and its transpose as one. A precision that stores factors in another form writes
  /// them to `room`.
  SOMA_INLINE static const float* as_rows(const float* scores, size_t, size_t, float*) {
    return scores;
  }
  SOMA_INLINE static const float* as_transposed(const float* scores, size_t, size_t, float*) {
    return scores;
  }
  SOMA_INLINE static void accumulate_rows(tile& t, const float* a, const float* b, size_t k) {
    t.accumulate<pitch, 1>(a, b, k);
  }
  SOMA_INLINE static void accumulate_transposed(tile& t, const float* a, const float* b, size_t k) {
    t.accumulate<1, pitch>(a, b, k);
  }
};
