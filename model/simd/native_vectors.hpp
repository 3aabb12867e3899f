// The native vector types of each instruction set, and the operations for which the language has no
// operator. Only vector.hpp includes it, under the same rules.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define SOMA_LANES [[gnu::always_inline]] inline

namespace soma::simd {

// Each set also names the tile of a product that fits its registers: `tile_vectors` vectors times
// `tile_factors` factors, so that the sums, one row of vectors and one factor need no memory.
// `loose_f32` is f32 that may begin at any float.

/// One lane. `Tag` keeps the set with hardware fma apart from the portable one.
template <class Tag>
struct one_lane {
  static constexpr std::size_t lanes = 1;
  static constexpr std::size_t tile_vectors = 2;
  static constexpr std::size_t tile_factors = 6;
  using f32 = float;
  using loose_f32 = float;
  using i32 = std::int32_t;
  using f64 = double;
  using i64 = std::int64_t;
  static constexpr std::size_t parts = 1;  // f64 values that hold `lanes` doubles
  SOMA_LANES static f32 fma(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
  SOMA_LANES static f64 fma(f64 a, f64 b, f64 c) { return __builtin_fma(a, b, c); }
  SOMA_LANES static f32 sqrt(f32 a) { return __builtin_sqrtf(a); }
  SOMA_LANES static f64 sqrt(f64 a) { return __builtin_sqrt(a); }
  SOMA_LANES static f32 to_f32(i32 a) { return static_cast<f32>(a); }
  SOMA_LANES static void widen(f32 a, f64* out) { out[0] = a; }
  SOMA_LANES static f32 narrow(const f64* a) { return static_cast<f32>(a[0]); }
  SOMA_LANES static i32 low_halves(const i64* a) { return static_cast<i32>(a[0]); }
  SOMA_LANES static f32 pick(const float* table, i32 at) { return table[at & 15]; }
};
struct portable_tag {};
struct scalar_tag {};
using isa_portable = one_lane<portable_tag>;
using isa_scalar = one_lane<scalar_tag>;

#if defined(__x86_64__)
/// Four lanes, which every x86-64 processor has. There is no fma, so training alone can use it.
struct isa_sse2 {
  static constexpr std::size_t lanes = 4;
  static constexpr std::size_t tile_vectors = 2;
  static constexpr std::size_t tile_factors = 6;
  using f32 = float __attribute__((vector_size(16)));
  using loose_f32 = float __attribute__((vector_size(16), aligned(4), may_alias));
  using i32 = std::int32_t __attribute__((vector_size(16)));
  using f64 = double __attribute__((vector_size(16)));
  static constexpr std::size_t parts = 2;
  SOMA_LANES static f32 sqrt(f32 a) { return _mm_sqrt_ps(a); }
  SOMA_LANES static void widen(f32 a, f64* out) {
    out[0] = _mm_cvtps_pd(a);
    out[1] = _mm_cvtps_pd(_mm_movehl_ps(a, a));
  }
};
#endif

#if defined(__AVX2__) && defined(__FMA__)
struct isa_avx2 {
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t tile_vectors = 2;
  static constexpr std::size_t tile_factors = 6;
  using f32 = float __attribute__((vector_size(32)));
  using loose_f32 = float __attribute__((vector_size(32), aligned(4), may_alias));
  using i32 = std::int32_t __attribute__((vector_size(32)));
  using f64 = double __attribute__((vector_size(32)));
  using i64 = std::int64_t __attribute__((vector_size(32)));
  static constexpr std::size_t parts = 2;
  SOMA_LANES static f32 fma(f32 a, f32 b, f32 c) { return _mm256_fmadd_ps(a, b, c); }
  SOMA_LANES static f64 fma(f64 a, f64 b, f64 c) { return _mm256_fmadd_pd(a, b, c); }
  SOMA_LANES static f32 sqrt(f32 a) { return _mm256_sqrt_ps(a); }
  SOMA_LANES static f64 sqrt(f64 a) { return _mm256_sqrt_pd(a); }
  SOMA_LANES static f32 to_f32(i32 a) { return __builtin_convertvector(a, f32); }
  SOMA_LANES static void widen(f32 a, f64* out) {
    out[0] = _mm256_cvtps_pd(_mm256_castps256_ps128(a));
    out[1] = _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
  }
  SOMA_LANES static f32 narrow(const f64* a) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(a[0])),
                                _mm256_cvtpd_ps(a[1]), 1);
  }
  SOMA_LANES static f32 min(f32 a, f32 b) { return _mm256_min_ps(a, b); }
  SOMA_LANES static f32 max(f32 a, f32 b) { return _mm256_max_ps(a, b); }
  SOMA_LANES static i32 low_halves(const i64* a) {
    const __m256 pairs = _mm256_shuffle_ps((__m256)a[0], (__m256)a[1], 0x88);
    return (i32)_mm256_permute4x64_epi64((__m256i)pairs, 0xd8);
  }
  SOMA_LANES static f32 pick(const float* table, i32 at) {
    const __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)at);
    const __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), (__m256i)at);
    return _mm256_blendv_ps(low, high, (__m256)(at << 28));  // bit 3 chooses
  }
  /// Whether every lane chooses one of the first eight numbers: one permutation reaches those.
  SOMA_LANES static bool all_low(i32 at) { return _mm256_movemask_ps((__m256)(at << 28)) == 0; }
  SOMA_LANES static f32 pick_low(const float* table, i32 at) {
    return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)at);
  }
};
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__)
struct isa_avx512 {
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t tile_vectors = 2;
  static constexpr std::size_t tile_factors = 8;
  using f32 = float __attribute__((vector_size(64)));
  using loose_f32 = float __attribute__((vector_size(64), aligned(4), may_alias));
  using i32 = std::int32_t __attribute__((vector_size(64)));
  using f64 = double __attribute__((vector_size(64)));
  using i64 = std::int64_t __attribute__((vector_size(64)));
  static constexpr std::size_t parts = 2;
  SOMA_LANES static f32 fma(f32 a, f32 b, f32 c) { return _mm512_fmadd_ps(a, b, c); }
  SOMA_LANES static f64 fma(f64 a, f64 b, f64 c) { return _mm512_fmadd_pd(a, b, c); }
  SOMA_LANES static f32 sqrt(f32 a) { return _mm512_sqrt_ps(a); }
  SOMA_LANES static f64 sqrt(f64 a) { return _mm512_sqrt_pd(a); }
  SOMA_LANES static f32 to_f32(i32 a) { return __builtin_convertvector(a, f32); }
  SOMA_LANES static void widen(f32 a, f64* out) {
    out[0] = _mm512_cvtps_pd(_mm512_castps512_ps256(a));
    out[1] = _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
  }
  SOMA_LANES static f32 narrow(const f64* a) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(a[0])), _mm512_cvtpd_ps(a[1]),
                              1);
  }
  SOMA_LANES static f32 min(f32 a, f32 b) { return _mm512_min_ps(a, b); }
  SOMA_LANES static f32 max(f32 a, f32 b) { return _mm512_max_ps(a, b); }
  SOMA_LANES static i32 low_halves(const i64* a) {
    const __m512i even =
        _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    return (i32)_mm512_permutex2var_epi32((__m512i)a[0], even, (__m512i)a[1]);
  }
  SOMA_LANES static f32 pick(const float* table, i32 at) {
    return _mm512_permutexvar_ps((__m512i)at, _mm512_loadu_ps(table));
  }
  SOMA_LANES static f32 scale(f32 a, f32 by) { return _mm512_scalef_ps(a, by); }
};
#endif

#if defined(__aarch64__)
struct isa_neon {
  static constexpr std::size_t lanes = 4;
  static constexpr std::size_t tile_vectors = 4;
  static constexpr std::size_t tile_factors = 6;
  using f32 = float __attribute__((vector_size(16)));
  using loose_f32 = float __attribute__((vector_size(16), aligned(4), may_alias));
  using i32 = std::int32_t __attribute__((vector_size(16)));
  using f64 = double __attribute__((vector_size(16)));
  using i64 = std::int64_t __attribute__((vector_size(16)));
  static constexpr std::size_t parts = 2;
  SOMA_LANES static f32 fma(f32 a, f32 b, f32 c) {
    return (f32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
  }
  SOMA_LANES static f64 fma(f64 a, f64 b, f64 c) {
    return (f64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
  }
  SOMA_LANES static f32 sqrt(f32 a) { return (f32)vsqrtq_f32((float32x4_t)a); }
  SOMA_LANES static f64 sqrt(f64 a) { return (f64)vsqrtq_f64((float64x2_t)a); }
  SOMA_LANES static f32 to_f32(i32 a) { return __builtin_convertvector(a, f32); }
  SOMA_LANES static void widen(f32 a, f64* out) {
    out[0] = (f64)vcvt_f64_f32(vget_low_f32((float32x4_t)a));
    out[1] = (f64)vcvt_high_f64_f32((float32x4_t)a);
  }
  SOMA_LANES static f32 narrow(const f64* a) {
    return (f32)vcvt_high_f32_f64(vcvt_f32_f64((float64x2_t)a[0]), (float64x2_t)a[1]);
  }
  SOMA_LANES static i32 low_halves(const i64* a) {
    return (i32)vuzp1q_s32((int32x4_t)a[0], (int32x4_t)a[1]);
  }
  SOMA_LANES static f32 pick(const float* table, i32 at) {
    return f32{table[at[0] & 15], table[at[1] & 15], table[at[2] & 15], table[at[3] & 15]};
  }
};
#endif

}  // namespace soma::simd
