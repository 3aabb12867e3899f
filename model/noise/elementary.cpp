#include "model/noise/elementary.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

#include "messages/values/assert.hpp"

namespace soma::noise {
namespace {

// ln 2 in two parts. The first has 32 trailing zero bits, so k * ln2_high is exact for every
// exponent k.
constexpr double ln2_high = 0x1.62e42feep-1;
constexpr double ln2_low = 0x1.a39ef35793c76p-33;
constexpr double log2_e = 0x1.71547652b82fep+0;

}  // namespace

double exact_exp(double x) {
  SOMA_ASSERT(x >= -700 && x <= 700, "the argument of exact_exp is in its range");
  const auto k = static_cast<std::int64_t>(std::floor(std::fma(x, log2_e, 0.5)));
  const auto scale = static_cast<double>(k);
  const double r = std::fma(-scale, ln2_low, std::fma(-scale, ln2_high, x));
  // The series down from 1/13!. For |r| <= ln2/2 the next term is too small to matter.
  double sum = 1.0 / 6227020800.0;
  constexpr double inverse_factorial[] = {1.0,
                                          1.0,
                                          1.0 / 2,
                                          1.0 / 6,
                                          1.0 / 24,
                                          1.0 / 120,
                                          1.0 / 720,
                                          1.0 / 5040,
                                          1.0 / 40320,
                                          1.0 / 362880,
                                          1.0 / 3628800,
                                          1.0 / 39916800,
                                          1.0 / 479001600};
  for (int i = 12; i >= 0; --i) sum = std::fma(sum, r, inverse_factorial[i]);
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

double exact_log(double x) {
  SOMA_ASSERT(x >= 0x1p-1022 && x <= 0x1.fffffffffffffp+1023, "exact_log takes normal numbers");
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000f'ffff'ffff'ffffu) | 0x3ff0'0000'0000'0000u);
  if (m > 0x1.6a09e667f3bcdp+0) {  // above the root of 2, m is halved, so that |log m| <= ln2/2
    m *= 0.5;
    exponent += 1;
  }
  // log m = 2 atanh(s) for s = (m - 1) / (m + 1). With f = m - 1 this is f - s * (f - tail), which
  // keeps the last bits of f.
  const double f = m - 1.0;
  const double s = f / (m + 1.0);
  const double z = s * s;
  double tail = 0;
  for (int n = 12; n >= 1; --n) tail = std::fma(tail, z, 2.0 / (2 * n + 1));
  tail *= z;  // 2 atanh(s) = s * (2 + tail), and 2 s = f - s * f
  const auto e = static_cast<double>(exponent);
  const double correction = std::fma(e, ln2_low, -s * (f - tail));
  return std::fma(e, ln2_high, f + correction);
}

}  // namespace soma::noise
