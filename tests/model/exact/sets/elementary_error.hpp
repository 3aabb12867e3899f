// The distance of the elementary functions from the true values, in units in the last place (ulp)
// of the true value. For binary32 functions the C library's binary64 is taken as true, which is
// right to 2^-28 ulp of binary32. For binary64 functions its long double of at least 64 bits is
// taken as true, right to 2^-10 ulp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "messages/values/splitmix64.hpp"
#include "model/simd/isa.hpp"

namespace soma::exact::test {

/// The negative tail of gelu is a difference of almost equal numbers, so its unit is an ulp of x /
/// 2.
enum class function : std::uint8_t { exp, log, erf, gelu, rsqrt, sin, cos };
inline constexpr function functions[] = {function::exp,  function::log,   function::erf,
                                         function::gelu, function::rsqrt, function::sin,
                                         function::cos};
enum class function_f64 : std::uint8_t { sin, cos, exp, log };
inline constexpr function_f64 functions_f64[] = {function_f64::sin, function_f64::cos,
                                                 function_f64::exp, function_f64::log};

[[nodiscard]] std::string_view to_text(function f);
[[nodiscard]] std::string_view to_text(function_f64 f);
/// The arguments for which the header promises an error bound.
[[nodiscard]] std::string_view range_of(function f);
[[nodiscard]] std::string_view range_of(function_f64 f);
[[nodiscard]] bool promised(function f, float x);
[[nodiscard]] bool promised(function_f64 f, double x);

struct random_bits : splitmix64 {
  using splitmix64::splitmix64;
  /// From [0, 1).
  [[nodiscard]] double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
};

/// Arguments for one function: bit patterns of every exponent, the range that the network uses, and
/// the neighbours of every edge and of multiples of pi / 2. The same seed gives the same arguments
/// on every machine.
[[nodiscard]] std::vector<float> points_for(function f, std::uint64_t seed, std::size_t count);
[[nodiscard]] std::vector<double> points_for(function_f64 f, std::uint64_t seed, std::size_t count);

void compute(simd::isa set, function f, std::span<const float> x, std::span<float> y);
/// exp and log have a single implementation, that of model/noise.
void compute(simd::isa set, function_f64 f, std::span<const double> x, std::span<double> y);

struct worst_error {
  double ulp = 0;
  double at = 0;
  std::uint64_t points = 0;

  void include(double error, double x);
  void include(const worst_error& other);
};

/// Only arguments with a promised bound count. A NaN or a wrong infinity at such an argument is an
/// infinite error.
[[nodiscard]] worst_error error_of(function f, std::span<const float> x, std::span<const float> y);
[[nodiscard]] worst_error error_of(function_f64 f, std::span<const double> x,
                                   std::span<const double> y);

}  // namespace soma::exact::test
