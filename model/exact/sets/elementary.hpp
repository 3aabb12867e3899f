// The elementary functions of the network, arithmetic §4.1 to §4.8. They are made of + - * / sqrt
// fma, comparisons and integer operations alone, and written once for every vector type, so they
// give the same bits everywhere.
//
// The largest distance from the true value, in units in the last place (ulp) of the true value. All
// 2^32 arguments of the binary32 functions were tried, and 10^8 arguments of the binary64 one.
//
//   function      arguments      ulp
//   exp           all x          0.90
//   log           all x > 0      0.93
//   erf           all x          1.05
//   rsqrt         all x > 0      1.50
//   sin, cos      |x| < 2^50     1.55
//   gelu          x >= 0         1.65
//   gelu          x < 0          1.65 ulp of x / 2
//   sin, cos f64  |x| < 2^32     0.80
//
// Near -1, 1 + erf has the error of erf, so the negative tail of gelu is right in absolute terms.
#pragma once

#include "model/simd/vector.hpp"

namespace soma::exact {

using simd::doubles;
using simd::floats;
using simd::ints;
using simd::longs;
using simd::mask;

namespace elementary {

inline constexpr float infinity = __builtin_huge_valf();
inline constexpr float not_a_number = __builtin_nanf("");
inline constexpr std::int32_t sign_bit = -2147483647 - 1;
/// When it is added to |x| < 2^22 and subtracted again, it rounds x to the nearest integer, ties to
/// even. The low bits of the sum are the bits of the integer.
inline constexpr float round_f32 = 0x1.8p+23f;
inline constexpr double round_f64 = 0x1.8p+52;  // |x| < 2^51

/// c[0] + x (c[1] + x (c[2] + …)), the innermost first. Arithmetic §4.1.
template <class Isa, std::size_t N>
SOMA_LANES floats<Isa> horner(const float (&c)[N], floats<Isa> x) {
  auto sum = floats<Isa>::all(c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) sum = fma(sum, x, floats<Isa>::all(c[i]));
  return sum;
}
template <class Isa, std::size_t N>
SOMA_LANES doubles<Isa> horner(const double (&c)[N], doubles<Isa> x) {
  auto sum = doubles<Isa>::all(c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) sum = fma(sum, x, doubles<Isa>::all(c[i]));
  return sum;
}

// e^r for |r| <= ln2/2.
inline constexpr float exp_terms[] = {
    1, 1, 0x1.fffffcp-2f, 0x1.55548cp-3f, 0x1.555858p-5f, 0x1.123da8p-7f, 0x1.6ac146p-10f};
inline constexpr float log2_e = 0x1.715476p+0f;
// ln 2 in two parts; the first has 15 bits, so its product with an exponent is exact.
inline constexpr float ln2_high = 0x1.62e4p-1f;
inline constexpr float ln2_low = 0x1.7f7d1cp-20f;

// (ln(1 + f) - f) / f^2 for 1/sqrt2 <= 1 + f < sqrt2.
inline constexpr float log_terms[] = {-0.5f,           0x1.55555p-2f,   -0x1.000212p-2f,
                                      0x1.99a1f8p-3f,  -0x1.5478d2p-3f, 0x1.22ba24p-3f,
                                      -0x1.0d2c9ap-3f, 0x1.05fbaep-3f,  -0x1.3be428p-4f};

// sin r = r + r^3 S(r^2) and cos r = 1 + r^2 C(r^2) for |r| <= 0.8.
inline constexpr float sin_terms[] = {-0x1.555544p-3f, 0x1.1106aep-7f, -0x1.990f94p-13f};
inline constexpr float cos_terms[] = {-0.5f, 0x1.555548p-5f, -0x1.6c0af4p-10f, 0x1.999114p-16f};
// The same in binary64, |r| <= pi/4; there cos r = 1 - r^2/2 + r^4 C(r^2).
inline constexpr double sin_terms_f64[] = {-0x1.5555555555548p-3,  0x1.111111110f730p-7,
                                           -0x1.a01a019be9212p-13, 0x1.71de35552aa6cp-19,
                                           -0x1.ae5e4b8307244p-26, 0x1.5d8b553be408cp-33};
inline constexpr double cos_terms_f64[] = {0x1.555555555554bp-5,  -0x1.6c16c16c15013p-10,
                                           0x1.a01a019c8ed08p-16, -0x1.27e4f7f141134p-22,
                                           0x1.1ee9db8e23363p-29, -0x1.8fa65e7eda13ep-37};
inline constexpr double two_over_pi = 0x1.45f306dc9c883p-1;
inline constexpr double half_pi_1 = 0x1.921fb54442d18p+0;  // pi/2 = the sum of the three
inline constexpr double half_pi_2 = 0x1.1a62633145c07p-54;
inline constexpr double half_pi_3 = -0x1.f1976b7ed8fbcp-110;

// erf(i w + t) = e[0][i] + t (e[1][i] + t (e[2][i] + …)) for |t| <= w/2; the width w is chosen so
// that the values at i w are close to binary32 numbers. Around 0 it is t + t (e[1][0] + …).
inline constexpr float erf_width = 0x1.07a36p-2f;
inline constexpr float erf_per_width = 0x1.f12a8ep+1f;
inline constexpr float erf_end = 3.9375f;  // 1 from here on, and from a little before
alignas(64) inline constexpr float erf_terms[7][16] = {
    {0, 0x1.230a22p-2f, 0x1.11286ep-1f, 0x1.735abep-1f, 0x1.b59deap-1f, 0x1.dcd5d2p-1f,
     0x1.f131c4p-1f, 0x1.fa76d8p-1f, 0x1.fe2a86p-1f, 0x1.ff7672p-1f, 0x1.ffdc68p-1f, 0x1.fff7ep-1f,
     0x1.fffe5ep-1f, 0x1.ffffb6p-1f, 0x1.fffff4p-1f, 0x1.fffffep-1f},
    {0x1.06eba8p-3f, 0x1.0e56ap+0f, 0x1.bb2cf2p-1f, 0x1.3e27c8p-1f, 0x1.901724p-2f, 0x1.b8a8a2p-3f,
     0x1.a914dp-4f, 0x1.672486p-5f, 0x1.09c236p-6f, 0x1.587ab8p-8f, 0x1.87143ap-10f,
     0x1.84dbb6p-12f, 0x1.52a4fp-14f, 0x1.024c6cp-16f, 0x1.591bd8p-19f, 0x1.93d8acp-22f},
    {0, -0x1.166818p-2f, -0x1.c8663p-2f, -0x1.eb777ep-2f, -0x1.9c08b6p-2f, -0x1.1ba26ep-2f,
     -0x1.4854b8p-3f, -0x1.439e7p-4f, -0x1.11bc2p-5f, -0x1.8f1fc8p-7f, -0x1.f75aa8p-9f,
     -0x1.12cdf8p-10f, -0x1.0b4dep-12f, -0x1.bd9c12p-15f, -0x1.7be7ep-19f, 0x1.3045b8p-18f},
    {-0x1.812666p-2f, -0x1.38a83ap-2f, -0x1.15917ep-3f, 0x1.47a3c4p-5f, 0x1.2b08p-3f,
     0x1.53eeaap-3f, 0x1.0b463cp-3f, 0x1.48f9fep-4f, 0x1.4b84ap-5f, 0x1.178d42p-6f, 0x1.8f721cp-8f,
     0x1.e75daep-10f, 0x1.fe6efep-12f, 0x1.cc9bd4p-14f, 0x1.671c62p-16f, 0x1.e4cde8p-19f},
    {0, 0x1.0aa2e2p-3f, 0x1.77e3ap-3f, 0x1.26b798p-3f, 0x1.e8e42cp-5f, -0x1.c6634ep-7f,
     -0x1.8041bp-5f, -0x1.7ad872p-5f, -0x1.e90c14p-6f, -0x1.0009b8p-6f, -0x1.b3263ep-8f,
     -0x1.4a14fp-9f, -0x1.076becp-17f, 0x1.ab557ep-16f, -0x1.a9ef94p-11f, -0x1.7e33aap-11f},
    {0x1.cb9f4cp-4f, 0x1.3dad16p-4f, 0x1.a7fdfcp-9f, -0x1.ca0258p-5f, -0x1.157fdap-4f,
     -0x1.5a473ep-5f, -0x1.48a594p-7f, 0x1.24d718p-7f, 0x1.a7ffe8p-7f, 0x1.352542p-7f,
     0x1.448c2ap-8f, 0x1.0c00fp-9f, 0x1.6965d2p-11f, 0x1.95cfbcp-13f, 0x1.800ca6p-15f,
     0x1.34c41cp-17f},
    {0, -0x1.9ac278p-5f, -0x1.a8ca6ep-5f, -0x1.1cdf3ep-9f, -0x1.2696bep-6f, -0x1.63fd0ap-13f,
     0x1.0a34cep-9f, 0x1.cd022cp-7f, -0x1.922236p-6f, -0x1.80c93cp-8f, 0x1.0eb3b6p-14f,
     0x1.beaca4p-8f, -0x1.7e15e8p-6f, -0x1.bd3bbep-8f, 0x1.b62fa2p-6f, 0x1.9804bcp-6f}};

template <class Isa>
SOMA_LANES floats<Isa> absolute(floats<Isa> x) {
  return as_floats(as_ints(x) & ints<Isa>::all(0x7fffffff));
}

}  // namespace elementary

/// e^x for every x: +inf above ln(2^128), a subnormal below ln(2^-126), +0 further down and at
/// -inf. Arithmetic §4.2.
template <class Isa>
SOMA_LANES floats<Isa> exp(floats<Isa> x) {
  using namespace elementary;
  using F = floats<Isa>;
  x = max(F::all(-104), min(F::all(89), x));  // e^-104 rounds to 0, e^89 to infinity
  const F rounded = fma(x, F::all(log2_e), F::all(round_f32));
  const F k = rounded - F::all(round_f32);
  const F r = fma(k, F::all(-ln2_low), fma(k, F::all(-ln2_high), x));
  return scale(horner(exp_terms, r), k, as_ints(rounded) - as_ints(F::all(round_f32)));
}

/// ln x: +0 at 1 and never below 0 from there on; -inf at 0, inf at inf, NaN below 0. Arithmetic
/// §4.3.
template <class Isa>
SOMA_LANES floats<Isa> log(floats<Isa> x) {
  using namespace elementary;
  using F = floats<Isa>;
  using I = ints<Isa>;
  const auto positive = x > F::zero();
  const auto subnormal = x < F::all(0x1p-126f);
  const F normal = select(positive, select(subnormal, x * F::all(0x1p+23f), x), F::all(1));
  // x = m 2^e with 1/sqrt2 <= m < sqrt2
  const I root_half = I::all(0x3f3504f3);
  const I shifted = as_ints(normal) - root_half;
  const F e = to_floats(shifted >> 23) - select(subnormal, F::all(23), F::zero());
  const F f = as_floats((shifted & I::all(0x7fffff)) + root_half) - F::all(1);
  const F tail = fma(e, F::all(ln2_low), f * f * horner(log_terms, f));
  const F y = fma(e, F::all(ln2_high), f + tail);
  const F at_edge = select(x == F::zero(), F::all(-infinity), F::all(not_a_number));
  return select(positive, select(x < F::all(infinity), y, x), at_edge);
}

/// The error function. It is odd to the bit, never beyond ±1, and ±1 from |x| = 3.921 on.
/// Arithmetic §4.4.
template <class Isa>
SOMA_LANES floats<Isa> erf(floats<Isa> x) {
  using namespace elementary;
  using F = floats<Isa>;
  const F end = min(F::all(erf_end), absolute(x));  // keeps a NaN
  const F rounded = fma(end, F::all(erf_per_width), F::all(round_f32));
  const F i = rounded - F::all(round_f32);
  const F t = fma(i, F::all(-erf_width), end);
  const auto at = as_ints(rounded);  // its low four bits are i
  const auto series = [&](auto&& term) [[gnu::always_inline]] {
    F sum = term(erf_terms[6]);
    for (std::size_t n = 6; n-- > 1;) sum = fma(sum, t, term(erf_terms[n]));
    return fma(sum, t, select(i == F::zero(), t, term(erf_terms[0])));
  };
  const auto any = [&](const float(&terms)[16]) [[gnu::always_inline]] { return pick(terms, at); };
  F y;
  if constexpr (requires { Isa::all_low(at.v); }) {
    // Most arguments that a network meets are small.
    const auto low = [&](const float(&terms)[16])
                         [[gnu::always_inline]] { return pick_low(terms, at); };
    y = Isa::all_low(at.v) ? series(low) : series(any);
  } else {
    y = series(any);
  }
  return as_floats(as_ints(y) | (as_ints(x) & ints<Isa>::all(sign_bit)));
}

/// x (1 + erf(x / sqrt2)) / 2, evaluated as (x * 0.5) * (1 + erf(x * fl32(1 / sqrt2))). It is -0
/// for x <= -5.55 and NaN at -inf. Arithmetic §4.5.
template <class Isa>
SOMA_LANES floats<Isa> gelu(floats<Isa> x) {
  using F = floats<Isa>;
  return x * F::all(0.5f) * (F::all(1) + erf(x * F::all(0x1.6a09e6p-1f)));
}

/// 1 / sqrt(x), two correctly rounded operations. Arithmetic §4.6.
template <class Isa>
SOMA_LANES floats<Isa> rsqrt(floats<Isa> x) {
  return floats<Isa>::all(1) / sqrt(x);
}

/// Sine and cosine for |x| < 2^50, NaN beyond. sin(-0) is +0. Arithmetic §4.7.
template <class Isa>
SOMA_LANES void sincos(floats<Isa> x, floats<Isa>& s, floats<Isa>& c) {
  using namespace elementary;
  using F = floats<Isa>;
  using D = doubles<Isa>;
  const D wide = widen(x);
  const D rounded = fma(wide, D::all(two_over_pi), D::all(round_f64));
  const D k = rounded - D::all(round_f64);
  const D rest = fma(k, D::all(-half_pi_2), fma(k, D::all(-half_pi_1), wide));
  const F r = select(absolute(x) < F::all(0x1p+50f), narrow(rest), F::all(not_a_number));
  const F z = r * r;
  const F sine = fma(r * z, horner(sin_terms, z), r);
  const F cosine = fma(z, horner(cos_terms, z), F::all(1));
  const auto quadrant = low_halves(as_longs(rounded));  // its low two bits count
  const auto odd = any_of(quadrant, 1);
  const auto top = ints<Isa>::all(sign_bit);
  const auto s_sign = (quadrant << 30) & top;
  const auto c_sign = ((quadrant ^ (quadrant << 1)) << 30) & top;
  s = as_floats(as_ints(select(odd, cosine, sine)) ^ s_sign);
  c = as_floats(as_ints(select(odd, sine, cosine)) ^ c_sign);
}

/// Sine and cosine in binary64 for |x| < 2^32, NaN beyond. sin(-0) is +0. Arithmetic §4.8.
template <class Isa>
SOMA_LANES void sincos(doubles<Isa> x, doubles<Isa>& s, doubles<Isa>& c) {
  using namespace elementary;
  using D = doubles<Isa>;
  using L = longs<Isa>;
  const D rounded = fma(x, D::all(two_over_pi), D::all(round_f64));
  const D k = rounded - D::all(round_f64);
  // r + low = x - k pi/2. The first step is exact: its result is a multiple of 2^-53 below 1, or k
  // is 0.
  const D first = fma(k, D::all(-half_pi_1), x);
  const D w = k * D::all(half_pi_2);
  const D w_low = fma(k, D::all(half_pi_3), fma(k, D::all(half_pi_2), -w));
  const D exact_r = first - w;
  const D low = (first - exact_r) - w - w_low;
  // NaN unless |x| < 2^32: `beyond` is all ones where |x| has larger bits than the last number
  // below 2^32.
  const L magnitude = as_longs(x) & L::all(0x7fffffffffffffff);
  const L beyond = (L::all(0x41efffffffffffff) - magnitude) >> 63;
  const D r = as_doubles(as_longs(exact_r) | beyond);
  const D z = r * r;
  const D half_z = z * D::all(0.5);
  // sin(r + low) = sin r + low (1 - z/2), cos(r + low) = cos r - low r
  const D sine = r + fma(z * r, horner(sin_terms_f64, z), fma(-half_z, low, low));
  const D most = D::all(1) - half_z;
  const D lost = (D::all(1) - most) - half_z;
  const D cosine = most + (lost + fma(z * z, horner(cos_terms_f64, z), -r * low));
  const L quadrant = as_longs(rounded);
  const L odd = L::all(0) - (quadrant & L::all(1));  // all bits set, or none
  const L top = L::all(-0x7fffffffffffffff - 1);
  const L change = (as_longs(sine) ^ as_longs(cosine)) & odd;
  s = as_doubles(as_longs(sine) ^ change ^ ((quadrant << 62) & top));
  c = as_doubles(as_longs(cosine) ^ change ^ (((quadrant ^ (quadrant << 1)) << 62) & top));
}

}  // namespace soma::exact
