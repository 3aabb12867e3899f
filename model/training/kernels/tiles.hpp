// The tile of a matrix product: that of model/simd, and how it meets the result. A packed
// right-hand matrix [k][n] is a row of panels, each `panel` columns wide and zero beyond column n:
// [n / panel][k][panel]. One tile of the result stays in registers while k goes upwards; after each
// `depth` steps of k it is added to the result in memory.

using registers = simd::product_tile<isa_here>;
constexpr size_t tile_rows = registers::factors;
constexpr size_t tile_vecs = registers::vectors;
constexpr size_t panel = registers::width;
constexpr size_t depth = 256;  // steps of k whose panel stays in the first-level cache
// The keys and the queries of a block of attention: whole panels and whole tiles.
constexpr size_t key_block = tile_rows == 8 ? 256 : 240;
constexpr size_t query_block = key_block / 4;
// The distance between the rows of a left-hand block. It is more than `depth`, and no large power
// of two, so that the rows do not all fall on the same cache set.
constexpr size_t pitch = 272;
static_assert(key_block % panel == 0 && key_block % tile_rows == 0 && key_block <= depth);
static_assert(query_block % tile_rows == 0 && pitch >= round_up(depth, tile_rows));
static_assert(transposed_limit == depth && depth % lanes == 0);

struct tile : registers {
  SOMA_INLINE tile() { clear(); }

  /// Adds a * b over k steps. Element (r, i) of a stands at a[r * RowStep + i * DepthStep], b is a
  /// panel of a packed matrix.
  template <size_t RowStep, size_t DepthStep>
  SOMA_INLINE void accumulate(const float* a, const float* b, size_t k) {
    registers::template accumulate<false, panel, DepthStep, RowStep>(b, a, k);
  }

  SOMA_INLINE void write_to(float* c, size_t stride) const { registers::store(c, stride); }
  SOMA_INLINE void add_to(float* c, size_t stride) const {
    each([&](auto r, auto v) [[gnu::always_inline]] {
      float* const at = c + r.value * stride + v.value * lanes;
      store(at, load(at) + sum[r.value][v.value]);
    });
  }
  SOMA_INLINE void add_row(const float* row) {
    each([&](auto r, auto v)
             [[gnu::always_inline]] { sum[r.value][v.value] += load(row + v.value * lanes); });
  }
  SOMA_INLINE void scale_rows(const float* by) {
    each([&](auto r, auto v) [[gnu::always_inline]] {
      sum[r.value][v.value] = sum[r.value][v.value] * by[r.value];
    });
  }

 private:
  SOMA_INLINE static vec load(const float* at) { return vec::load(at); }
  SOMA_INLINE static void store(float* at, vec value) { value.store(at); }
};

/// Fetches the part of the result that a tile will be written to, while the tile is computed.
SOMA_INLINE void prefetch_result(const float* c, size_t stride, size_t rows) {
  for (size_t r = 0; r < rows; ++r) __builtin_prefetch(c + r * stride, 1);
}

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
