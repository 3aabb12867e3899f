// Matrix products whose factors are rounded to bfloat16, two of them in one 32-bit lane, and whose
// sums are binary32: VDPBF16PS does twice the work of a fused multiply-add. The layouts are those
// of tiles.hpp, with a pair of steps of k in the place of one.
#include <immintrin.h>

#include "model/simd/tile.hpp"
#include "model/training/kernels.hpp"

#if defined(__AVX512BF16__)

namespace soma::training {
namespace {

using isa_here = simd::isa_avx512;

#include "model/training/kernels/vectors.hpp"
// The tile of a product is made of vectors.
#include "model/training/kernels/tiles.hpp"

constexpr size_t pairs = depth / 2;
constexpr size_t pair_pitch = pairs + 16;  // between rows of pairs along k

/// Sixteen pairs (low, high), each number rounded to bfloat16.
SOMA_INLINE __m512i paired(vec low, vec high) {
  const auto narrow = [](vec wide) {
    const __m256bh half = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(wide.v));
    return _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(half));
  };
  return _mm512_or_si512(narrow(low), _mm512_slli_epi32(narrow(high), 16));
}

SOMA_INLINE void store_pairs(float* at, __m512i value) {
  _mm512_storeu_si512(at, value);
}

/// t += a * b over pairs of k. Pair (r, i) of a stands at a[r * RowStep + i * DepthStep].
template <size_t RowStep, size_t DepthStep>
SOMA_INLINE void accumulate_pairs(tile& t, const float* a, const float* b, size_t count) {
  for (size_t i = 0; i < count; ++i, a += DepthStep, b += panel) {
    __m512bh column[tile_vecs];
    for (size_t v = 0; v < tile_vecs; ++v) {
      column[v] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + v * lanes));
    }
    for (size_t r = 0; r < tile_rows; ++r) {
      int pair;
      __builtin_memcpy(&pair, a + r * RowStep, sizeof pair);
      const auto factor = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
      for (size_t v = 0; v < tile_vecs; ++v) {
        t.sum[r][v].v = _mm512_dpbf16_ps(t.sum[r][v].v, factor, column[v]);
      }
    }
  }
}

constexpr size_t halved(size_t k) {
  return (k + 1) / 2;
}

size_t paired_size(size_t k, size_t n) {
  return halved(k) * round_up(n, panel);
}

/// Sixteen columns of one row, from column j on, and zeros beyond the last column n - 1.
SOMA_INLINE vec columns_of(const float* row, size_t column_stride, size_t j, size_t n) {
  if (column_stride == 1 && j + lanes <= n) return load(row + j);
  float each[lanes] = {};
  for (size_t l = 0; l < lanes && j + l < n; ++l) each[l] = row[(j + l) * column_stride];
  return load(each);
}

void pack_pairs(const float* b, size_t row_stride, size_t column_stride, size_t k, size_t n,
                float* packed) {
  for (size_t first = 0; first < n; first += panel) {
    for (size_t i = 0; i < k; i += 2) {
      const float* const low = b + i * row_stride;
      for (size_t j = first; j < first + panel; j += lanes, packed += lanes) {
        const vec high =
            i + 1 < k ? columns_of(low + row_stride, column_stride, j, n) : vec::zero();
        store_pairs(packed, paired(columns_of(low, column_stride, j, n), high));
      }
    }
  }
}

size_t paired_scratch(size_t rows) {
  return round_up(rows, tile_rows) * pair_pitch;
}

/// Copies rows of a, k floats each, into rows of pairs along k, and zeros into the rows that fill
/// up the last tile.
SOMA_INLINE void copy_paired_rows(const float* a, size_t stride, size_t rows, size_t k,
                                  float* block) {
  for (size_t r = 0; r < rows; ++r) {
    float* const to = block + r * pair_pitch;
    for (size_t i = 0; i < k; i += 2 * lanes) {
      const float* const from = a + r * stride + i;
      const size_t left = k - i;
      const vec low = left >= lanes ? load(from) : load_some(from, left);
      const vec high = left >= 2 * lanes ? load(from + lanes)
                       : left > lanes    ? load_some(from + lanes, left - lanes)
                                         : vec::zero();
      const __m512bh both = _mm512_cvtne2ps_pbh(high.v, low.v);
      store_pairs(to + i / 2, reinterpret_cast<__m512i>(both));
    }
  }
  for (size_t r = rows; r < round_up(rows, tile_rows); ++r) zero(block + r * pair_pitch, halved(k));
}

void matmul_paired(const float* a, size_t a_stride, const float* packed, size_t rows, size_t k,
                   size_t n, float* c, size_t c_stride, bool add, const float* bias,
                   float* scratch) {
  for (size_t from = 0; from < k; from += depth) {
    const size_t length = min(depth, k - from);
    copy_paired_rows(a + from, a_stride, rows, length, scratch);
    const bool accumulate = add || from > 0;
    for (size_t j = 0; j < n; j += panel) {
      const float* const right = packed + j * halved(k) + from / 2 * panel;
      const float* const bias_row = bias == nullptr || from > 0 ? nullptr : bias + j;
      for (size_t r = 0; r < rows; r += tile_rows) {
        tile t;
        accumulate_pairs<pair_pitch, 1>(t, scratch + r * pair_pitch, right, halved(length));
        store_tile(t, c + r * c_stride + j, c_stride, min(tile_rows, rows - r), min(panel, n - j),
                   accumulate, bias_row);
      }
    }
  }
}

void matmul_transposed_paired(const float* a, size_t a_stride, const float* b, size_t b_stride,
                              size_t k, size_t m, size_t n, float* c, size_t c_stride,
                              float* scratch) {
  float* const right = scratch + pairs * pitch;
  for (size_t from = 0; from < k; from += depth) {
    const size_t length = min(depth, k - from);
    for (size_t i = 0; i < length; i += 2) {
      const float* const low = a + (from + i) * a_stride;
      for (size_t j = 0; j < round_up(m, tile_rows); j += lanes) {
        const vec high = i + 1 < length ? columns_of(low + a_stride, 1, j, m) : vec::zero();
        store_pairs(scratch + i / 2 * pitch + j, paired(columns_of(low, 1, j, m), high));
      }
    }
    pack_pairs(b + from * b_stride, b_stride, 1, length, n, right);
    for (size_t j = 0; j < n; j += panel) {
      for (size_t r = 0; r < m; r += tile_rows) {
        tile t;
        accumulate_pairs<1, pitch>(t, scratch + r, right + j * halved(length), halved(length));
        store_tile(t, c + r * c_stride + j, c_stride, min(tile_rows, m - r), min(panel, n - j),
                   from > 0, nullptr);
      }
    }
  }
}

/// The same interface as float_factors of product.hpp, which explains it.
struct pair_factors {
  static constexpr size_t row_pitch = pair_pitch;
  static constexpr size_t steps(size_t k) { return halved(k); }
  static void pack(const float* b, size_t row_stride, size_t column_stride, size_t k, size_t n,
                   float* packed) {
    pack_pairs(b, row_stride, column_stride, k, n, packed);
  }
  SOMA_INLINE static void copy_rows(const float* a, size_t stride, size_t rows, size_t k,
                                    float* block) {
    copy_paired_rows(a, stride, rows, k, block);
  }
  SOMA_INLINE static const float* as_rows(const float* scores, size_t rows, size_t columns,
                                          float* room) {
    copy_paired_rows(scores, pitch, rows, columns, room);
    return room;
  }
  SOMA_INLINE static const float* as_transposed(const float* scores, size_t rows, size_t columns,
                                                float* room) {
    for (size_t r = 0; r < rows; r += 2) {
      const float* const low = scores + r * pitch;
      for (size_t j = 0; j < columns; j += lanes) {
        const vec high = r + 1 < rows ? load(low + pitch + j) : vec::zero();
        store_pairs(room + r / 2 * pitch + j, paired(load(low + j), high));
      }
    }
    return room;
  }
  SOMA_INLINE static void accumulate_rows(tile& t, const float* a, const float* b, size_t k) {
    accumulate_pairs<pair_pitch, 1>(t, a, b, halved(k));
  }
  SOMA_INLINE static void accumulate_transposed(tile& t, const float* a, const float* b, size_t k) {
    accumulate_pairs<1, pitch>(t, a, b, halved(k));
  }
};

using factors = pair_factors;
// Attention uses these products.
#include "model/training/kernels/attention.hpp"

}  // namespace

const matmul_kernels products_bf16 = {paired_size,
                                      pack_pairs,
                                      matmul_paired,
                                      paired_scratch,
                                      matmul_transposed_paired,
                                      pairs* pitch + pairs* transposed_limit,
                                      attention_by_tiles};

#undef SOMA_INLINE

}  // namespace soma::training

#endif
