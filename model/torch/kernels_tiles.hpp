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
