// Products of matrices. A packed right-hand matrix is a row of panels, each `panel` columns wide
// and zero beyond the last column: [n / panel][k][panel]. One tile of the result stays in registers
// while k goes upwards; after each `depth` of k it is added to the result in memory.

#if defined(__AVX512F__)
constexpr size_t tile_rows = 8;
constexpr size_t tile_vecs = 2;
#elif defined(__AVX2__)
constexpr size_t tile_rows = 4;
constexpr size_t tile_vecs = 1;
#else
constexpr size_t tile_rows = 2;
constexpr size_t tile_vecs = 1;
#endif
constexpr size_t panel = tile_vecs * lanes;
constexpr size_t depth = 256;  // also the extent of a block of attention's keys
// A row of a left-hand block: more than `depth`, so that rows do not fall on the same cache set.
constexpr size_t pitch = depth + 16;
static_assert(depth % panel == 0 && depth % tile_rows == 0 && across_most == depth);

struct tile {
  vec sum[tile_rows][tile_vecs] = {};

  /// += a * b over k; element (r, i) of a stands at a[r * RowStep + i * DepthStep].
  template <size_t RowStep, size_t DepthStep>
  SOMA_INLINE void grow(const float* a, const float* b, size_t k) {
    for (size_t i = 0; i < k; ++i, a += DepthStep, b += panel) {
      vec column[tile_vecs];
      for (size_t v = 0; v < tile_vecs; ++v) column[v] = load(b + v * lanes);
      for (size_t r = 0; r < tile_rows; ++r) {
        const vec factor = all(a[r * RowStep]);
        for (size_t v = 0; v < tile_vecs; ++v) sum[r][v] += factor * column[v];
      }
    }
  }

  SOMA_INLINE void put(float* c, size_t stride) const {
    for (size_t r = 0; r < tile_rows; ++r) {
      for (size_t v = 0; v < tile_vecs; ++v) store(c + r * stride + v * lanes, sum[r][v]);
    }
  }
  SOMA_INLINE void add_to(float* c, size_t stride) const {
    for (size_t r = 0; r < tile_rows; ++r) {
      for (size_t v = 0; v < tile_vecs; ++v) {
        float* const at = c + r * stride + v * lanes;
        store(at, load(at) + sum[r][v]);
      }
    }
  }
  SOMA_INLINE void add_row(const float* row) {
    for (size_t v = 0; v < tile_vecs; ++v) {
      const vec value = load(row + v * lanes);
      for (size_t r = 0; r < tile_rows; ++r) sum[r][v] += value;
    }
  }
};

/// A tile at the edge of the result, of which only some rows and columns are there.
[[gnu::noinline]] void put_edge(const float* from, float* c, size_t stride, size_t rows,
                                size_t columns, bool add, const float* bias) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t j = 0; j < columns; ++j) {
      const float value = from[r * panel + j] + (bias == nullptr ? 0.0f : bias[j]);
      c[r * stride + j] = add ? c[r * stride + j] + value : value;
    }
  }
}

SOMA_INLINE void put_tile(tile& t, float* c, size_t stride, size_t rows, size_t columns, bool add,
                          const float* bias) {
  if (rows < tile_rows || columns < panel) {
    float edge[tile_rows * panel];
    t.put(edge, panel);
    put_edge(edge, c, stride, rows, columns, add, bias);
    return;
  }
  if (bias != nullptr) t.add_row(bias);
  if (add) {
    t.add_to(c, stride);
  } else {
    t.put(c, stride);
  }
}

size_t packed_size(size_t k, size_t n) {
  return k * up_to(n, panel);
}

void pack(const float* b, size_t row_stride, size_t column_stride, size_t k, size_t n,
          float* packed) {
  for (size_t first = 0; first < n; first += panel, packed += k * panel) {
    const size_t columns = lesser(panel, n - first);
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

size_t multiply_scratch(size_t rows) {
  return up_to(rows, tile_rows) * pitch;
}

/// Rows of a into rows of `pitch`, zeros in the rows that fill up the last tile.
SOMA_INLINE void take_rows(const float* a, size_t stride, size_t rows, size_t k, float* block) {
  for (size_t r = 0; r < rows; ++r)
    __builtin_memcpy(block + r * pitch, a + r * stride, k * sizeof(float));
  for (size_t r = rows; r < up_to(rows, tile_rows); ++r) zero(block + r * pitch, k);
}

void multiply(const float* a, size_t a_stride, const float* packed, size_t rows, size_t k, size_t n,
              float* c, size_t c_stride, bool add, const float* bias, float* scratch) {
  for (size_t from = 0; from < k; from += depth) {
    const size_t length = lesser(depth, k - from);
    take_rows(a + from, a_stride, rows, length, scratch);
    const bool grow = add || from > 0;
    for (size_t j = 0; j < n; j += panel) {
      const float* const right = packed + j * k + from * panel;
      const float* const row = bias == nullptr || from > 0 ? nullptr : bias + j;
      for (size_t r = 0; r < rows; r += tile_rows) {
        tile t;
        t.grow<pitch, 1>(scratch + r * pitch, right, length);
        put_tile(t, c + r * c_stride + j, c_stride, lesser(tile_rows, rows - r),
                 lesser(panel, n - j), grow, row);
      }
    }
  }
}

void multiply_across(const float* a, size_t a_stride, const float* b, size_t b_stride, size_t k,
                     size_t m, size_t n, float* c, size_t c_stride, float* scratch) {
  float* const right = scratch + depth * pitch;
  for (size_t from = 0; from < k; from += depth) {
    const size_t length = lesser(depth, k - from);
    for (size_t i = 0; i < length; ++i) {
      float* const row = scratch + i * pitch;
      __builtin_memcpy(row, a + (from + i) * a_stride, m * sizeof(float));
      zero(row + m, up_to(m, tile_rows) - m);
    }
    pack(b + from * b_stride, b_stride, 1, length, n, right);
    for (size_t j = 0; j < n; j += panel) {
      for (size_t r = 0; r < m; r += tile_rows) {
        tile t;
        t.grow<1, pitch>(scratch + r, right + j * length, length);
        put_tile(t, c + r * c_stride + j, c_stride, lesser(tile_rows, m - r), lesser(panel, n - j),
                 from > 0, nullptr);
      }
    }
  }
}

constexpr product_set float_products = {packed_size,     pack,
                                        multiply,        multiply_scratch,
                                        multiply_across, depth* pitch + depth* across_most};
