// The tile of a matrix product. A packed right-hand matrix [k][n] is a row of panels, each `panel`
// columns wide and zero beyond column n: [n / panel][k][panel]. One tile of the result stays in
// registers while k goes upwards; after each `depth` steps of k it is added to the result in
// memory.

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
constexpr size_t depth = 256;  // also how many keys a block of attention has
// The distance between the rows of a left-hand block. It is more than `depth`, so that the rows do
// not all fall on the same cache set.
constexpr size_t pitch = depth + 16;
static_assert(depth % panel == 0 && depth % tile_rows == 0 && transposed_limit == depth);

struct tile {
  vec sum[tile_rows][tile_vecs] = {};

  /// Adds a * b over k steps. Element (r, i) of a stands at a[r * RowStep + i * DepthStep], b is a
  /// panel of a packed matrix.
  template <size_t RowStep, size_t DepthStep>
  SOMA_INLINE void accumulate(const float* a, const float* b, size_t k) {
    for (size_t i = 0; i < k; ++i, a += DepthStep, b += panel) {
      vec column[tile_vecs];
      for (size_t v = 0; v < tile_vecs; ++v) column[v] = load(b + v * lanes);
      for (size_t r = 0; r < tile_rows; ++r) {
        const vec factor = all(a[r * RowStep]);
        for (size_t v = 0; v < tile_vecs; ++v) sum[r][v] += factor * column[v];
      }
    }
  }

  SOMA_INLINE void write_to(float* c, size_t stride) const {
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

/// Writes a tile at the edge of the result, where the result has only some of its rows and columns.
[[gnu::noinline]] void store_edge(const float* from, float* c, size_t stride, size_t rows,
                                  size_t columns, bool add, const float* bias) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t j = 0; j < columns; ++j) {
      const float value = from[r * panel + j] + (bias == nullptr ? 0.0f : bias[j]);
      c[r * stride + j] = add ? c[r * stride + j] + value : value;
    }
  }
}

/// Writes a tile to the result, or adds it with `add`; `bias`, one value a column, may be null.
SOMA_INLINE void store_tile(tile& t, float* c, size_t stride, size_t rows, size_t columns, bool add,
                            const float* bias) {
  if (rows < tile_rows || columns < panel) {
    float edge[tile_rows * panel];
    t.write_to(edge, panel);
    store_edge(edge, c, stride, rows, columns, add, bias);
    return;
  }
  if (bias != nullptr) t.add_row(bias);
  if (add) {
    t.add_to(c, stride);
  } else {
    t.write_to(c, stride);
  }
}
