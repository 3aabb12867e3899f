// Vectors of floats for one instruction set. Kernels are templates over `floats<Isa>`: the same
// expression tree for one lane, eight or sixteen, so the same bits. Only operations of exact
// arithmetic §1 exist here: + - * / sqrt fma, comparisons, integer operations, exact conversions.
//
// One translation unit an instruction set, compiled with its flags, includes this header; the tag
// makes every name its own there, and all is forced inline, so that the linker never mixes code of
// two instruction sets. No standard header with functions of its own may come in here.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define SOMA_LANES [[gnu::always_inline]] inline

namespace soma::exact {

// ---- instruction sets: the native types, what the language has no operator for, and the tile of a
// product that fits the registers: `tile_vectors` vectors of tokens times `tile_outputs` outputs

/// One lane. `Tag` tells hardware fma from the portable function call.
template <class Tag>
struct one_lane {
  static constexpr std::size_t lanes = 1;
  static constexpr std::size_t tile_vectors = 2;
  static constexpr std::size_t tile_outputs = 6;
  using f32 = float;
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

#if defined(__AVX2__) && defined(__FMA__)
struct isa_avx2 {
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t tile_vectors = 4;
  static constexpr std::size_t tile_outputs = 3;
  using f32 = float __attribute__((vector_size(32)));
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
};
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__)
struct isa_avx512 {
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t tile_vectors = 2;
  static constexpr std::size_t tile_outputs = 8;
  using f32 = float __attribute__((vector_size(64)));
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
  static constexpr std::size_t tile_outputs = 6;
  using f32 = float __attribute__((vector_size(16)));
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

// ---- what kernels are written with

/// The result of a comparison, lane by lane.
template <class Isa>
struct mask {
  decltype(typename Isa::f32{} < typename Isa::f32{}) v;
};

template <class Isa>
struct ints {
  typename Isa::i32 v;
  SOMA_LANES static ints all(std::int32_t x) { return {typename Isa::i32{} + x}; }
  SOMA_LANES friend ints operator+(ints a, ints b) { return {a.v + b.v}; }
  SOMA_LANES friend ints operator-(ints a, ints b) { return {a.v - b.v}; }
  SOMA_LANES friend ints operator&(ints a, ints b) { return {a.v & b.v}; }
  SOMA_LANES friend ints operator|(ints a, ints b) { return {a.v | b.v}; }
  SOMA_LANES friend ints operator^(ints a, ints b) { return {a.v ^ b.v}; }
  SOMA_LANES friend ints operator>>(ints a, int by) { return {a.v >> by}; }  // arithmetic
  /// Shifts bits out at the top without complaint.
  SOMA_LANES friend ints operator<<(ints a, int by) {
    if constexpr (Isa::lanes == 1) {
      return {static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v) << by)};
    } else {
      return {a.v << by};
    }
  }
};

template <class Isa>
struct floats {
  static constexpr std::size_t lanes = Isa::lanes;
  typename Isa::f32 v;

  SOMA_LANES static floats all(float x) {
    if constexpr (Isa::lanes == 1) {
      return {x};
    } else {
      return {x - typename Isa::f32{}};  // x - (+0) is x, -0 and NaN included
    }
  }
  SOMA_LANES static floats zero() { return {typename Isa::f32{}}; }
  /// Anywhere in an array of floats.
  SOMA_LANES static floats load(const float* at) {
    floats r;
    __builtin_memcpy(&r.v, at, sizeof r.v);
    return r;
  }
  SOMA_LANES void store(float* at) const { __builtin_memcpy(at, &v, sizeof v); }

  SOMA_LANES friend floats operator+(floats a, floats b) { return {a.v + b.v}; }
  SOMA_LANES friend floats operator-(floats a, floats b) { return {a.v - b.v}; }
  SOMA_LANES friend floats operator*(floats a, floats b) { return {a.v * b.v}; }
  SOMA_LANES friend floats operator/(floats a, floats b) { return {a.v / b.v}; }
  SOMA_LANES friend floats operator-(floats a) { return {-a.v}; }
  SOMA_LANES friend mask<Isa> operator<(floats a, floats b) { return {a.v < b.v}; }
  SOMA_LANES friend mask<Isa> operator>(floats a, floats b) { return {a.v > b.v}; }
  SOMA_LANES friend mask<Isa> operator<=(floats a, floats b) { return {a.v <= b.v}; }
  SOMA_LANES friend mask<Isa> operator>=(floats a, floats b) { return {a.v >= b.v}; }
  SOMA_LANES friend mask<Isa> operator==(floats a, floats b) { return {a.v == b.v}; }
};

/// a * b + c, rounded once.
template <class Isa>
SOMA_LANES floats<Isa> fma(floats<Isa> a, floats<Isa> b, floats<Isa> c) {
  return {Isa::fma(a.v, b.v, c.v)};
}
template <class Isa>
SOMA_LANES floats<Isa> sqrt(floats<Isa> a) {
  return {Isa::sqrt(a.v)};
}
/// Lane by lane: `yes` where the mask holds, `no` elsewhere.
template <class Isa>
SOMA_LANES floats<Isa> select(mask<Isa> m, floats<Isa> yes, floats<Isa> no) {
  return {m.v ? yes.v : no.v};
}
template <class Isa>
SOMA_LANES ints<Isa> as_ints(floats<Isa> a) {
  return {__builtin_bit_cast(typename Isa::i32, a.v)};
}
template <class Isa>
SOMA_LANES floats<Isa> as_floats(ints<Isa> a) {
  return {__builtin_bit_cast(typename Isa::f32, a.v)};
}
/// Exact below 2^24.
template <class Isa>
SOMA_LANES floats<Isa> to_floats(ints<Isa> a) {
  return {Isa::to_f32(a.v)};
}

/// Lanes where any bit of `bits` is set.
template <class Isa>
SOMA_LANES mask<Isa> any_of(ints<Isa> a, std::int32_t bits) {
  return {(a & ints<Isa>::all(bits)).v != typename Isa::i32{}};
}
/// a < b ? a : b, and so b where either is NaN.
template <class Isa>
SOMA_LANES floats<Isa> min(floats<Isa> a, floats<Isa> b) {
  if constexpr (requires { Isa::min(a.v, b.v); }) {
    return {Isa::min(a.v, b.v)};
  } else {
    return select(a < b, a, b);
  }
}
/// a > b ? a : b, and so b where either is NaN.
template <class Isa>
SOMA_LANES floats<Isa> max(floats<Isa> a, floats<Isa> b) {
  if constexpr (requires { Isa::max(a.v, b.v); }) {
    return {Isa::max(a.v, b.v)};
  } else {
    return select(a > b, a, b);
  }
}
/// One of 16 numbers for each lane, by the low four bits of `at`.
template <class Isa>
SOMA_LANES floats<Isa> pick(const float (&table)[16], ints<Isa> at) {
  return {Isa::pick(table, at.v)};
}
/// a * 2^k rounded once. 1/2 <= a <= 2 and -152 <= k <= 152; `k` as a number and as an integer. A
/// NaN stays one.
template <class Isa>
SOMA_LANES floats<Isa> scale(floats<Isa> a, floats<Isa> k, ints<Isa> k_bits) {
  if constexpr (requires { Isa::scale(a.v, k.v); }) {
    return {Isa::scale(a.v, k.v)};
  } else {  // two factors that are normal numbers: the first product is exact
    const auto half = k_bits >> 1;
    const auto bias = ints<Isa>::all(127);
    return a * as_floats((half + bias) << 23) * as_floats((k_bits - half + bias) << 23);
  }
}

/// As many 64-bit integers as `floats` has lanes.
template <class Isa>
struct longs {
  using part = typename Isa::i64;
  static constexpr std::size_t parts = Isa::parts;
  part v[parts];

  SOMA_LANES static longs all(std::int64_t x) {
    longs r;
    for (auto& p : r.v) p = part{} + x;
    return r;
  }
  SOMA_LANES friend longs operator&(longs a, longs b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] & b.v[i];
    return a;
  }
  SOMA_LANES friend longs operator|(longs a, longs b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] | b.v[i];
    return a;
  }
  SOMA_LANES friend longs operator^(longs a, longs b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] ^ b.v[i];
    return a;
  }
  SOMA_LANES friend longs operator-(longs a, longs b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] - b.v[i];
    return a;
  }
  SOMA_LANES friend longs operator>>(longs a, int by) {  // arithmetic
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] >> by;
    return a;
  }
  /// Shifts bits out at the top without complaint.
  SOMA_LANES friend longs operator<<(longs a, int by) {
    for (std::size_t i = 0; i < parts; ++i) {
      if constexpr (Isa::lanes == 1) {
        a.v[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a.v[i]) << by);
      } else {
        a.v[i] = a.v[i] << by;
      }
    }
    return a;
  }
};
/// The low 32 bits of each.
template <class Isa>
SOMA_LANES ints<Isa> low_halves(longs<Isa> a) {
  return {Isa::low_halves(a.v)};
}

/// As many binary64 numbers as `floats` has lanes.
template <class Isa>
struct doubles {
  using part = typename Isa::f64;
  static constexpr std::size_t parts = Isa::parts;
  part v[parts];

  SOMA_LANES static doubles all(double x) {
    doubles r;
    for (auto& p : r.v) {
      if constexpr (Isa::lanes == 1) {
        p = x;
      } else {
        p = x - part{};
      }
    }
    return r;
  }
  /// `lanes` doubles, anywhere in an array of them.
  SOMA_LANES static doubles load(const double* at) {
    doubles r;
    __builtin_memcpy(r.v, at, sizeof r.v);
    return r;
  }
  SOMA_LANES void store(double* at) const { __builtin_memcpy(at, v, sizeof v); }

  SOMA_LANES friend doubles operator+(doubles a, doubles b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] + b.v[i];
    return a;
  }
  SOMA_LANES friend doubles operator-(doubles a, doubles b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] - b.v[i];
    return a;
  }
  SOMA_LANES friend doubles operator*(doubles a, doubles b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] * b.v[i];
    return a;
  }
  SOMA_LANES friend doubles operator/(doubles a, doubles b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] / b.v[i];
    return a;
  }
  SOMA_LANES friend doubles operator-(doubles a) {
    for (auto& p : a.v) p = -p;
    return a;
  }
};

template <class Isa>
SOMA_LANES doubles<Isa> fma(doubles<Isa> a, doubles<Isa> b, doubles<Isa> c) {
  for (std::size_t i = 0; i < doubles<Isa>::parts; ++i) a.v[i] = Isa::fma(a.v[i], b.v[i], c.v[i]);
  return a;
}
template <class Isa>
SOMA_LANES longs<Isa> as_longs(doubles<Isa> a) {
  longs<Isa> r;
  __builtin_memcpy(r.v, a.v, sizeof r.v);
  return r;
}
template <class Isa>
SOMA_LANES doubles<Isa> as_doubles(longs<Isa> a) {
  doubles<Isa> r;
  __builtin_memcpy(r.v, a.v, sizeof r.v);
  return r;
}
template <class Isa>
SOMA_LANES doubles<Isa> widen(floats<Isa> a) {
  doubles<Isa> r;
  Isa::widen(a.v, r.v);
  return r;
}
/// Rounded to nearest even.
template <class Isa>
SOMA_LANES floats<Isa> narrow(doubles<Isa> a) {
  return {Isa::narrow(a.v)};
}

}  // namespace soma::exact
