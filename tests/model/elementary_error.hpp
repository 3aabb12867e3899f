// How far our elementary functions are from the truth, in units in the last place (ulp) of the true
// value. The truth of a binary32 function is the C library's binary64 (right to 2^-28 ulp of
// binary32), that of a binary64 function its long double (64 bits or more: 2^-10 ulp).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/exact/isa.hpp"

namespace soma::exact::test {

/// gelu's negative tail is a difference of almost equal numbers: its unit is an ulp of x / 2.
enum class function : std::uint8_t { exp, log, erf, gelu, rsqrt, sin, cos };
inline constexpr function functions[] = {function::exp,  function::log,   function::erf,
                                         function::gelu, function::rsqrt, function::sin,
                                         function::cos};
enum class function_f64 : std::uint8_t { sin, cos, exp, log };
inline constexpr function_f64 functions_f64[] = {function_f64::sin, function_f64::cos,
                                                 function_f64::exp, function_f64::log};

[[nodiscard]] std::string_view to_text(function f);
[[nodiscard]] std::string_view to_text(function_f64 f);
/// Where the header promises an error bound.
[[nodiscard]] std::string_view range_of(function f);
[[nodiscard]] std::string_view range_of(function_f64 f);
[[nodiscard]] bool promised(function f, float x);
[[nodiscard]] bool promised(function_f64 f, double x);

/// splitmix64.
class random_bits {
 public:
  explicit random_bits(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] std::uint64_t next();
  /// Below 1.
  [[nodiscard]] double unit();

 private:
  std::uint64_t state_;
};

/// Points for one function: bit patterns of every exponent, the range that the network uses,
/// neighbours of every edge and of multiples of pi / 2. The same for one seed everywhere.
[[nodiscard]] std::vector<float> points_for(function f, std::uint64_t seed, std::size_t count);
[[nodiscard]] std::vector<double> points_for(function_f64 f, std::uint64_t seed, std::size_t count);

void compute(isa set, function f, std::span<const float> x, std::span<float> y);
/// exp and log have one instance only, that of model/noise.
void compute(isa set, function_f64 f, std::span<const double> x, std::span<double> y);

struct worst_error {
  double ulp = 0;
  double at = 0;
  std::uint64_t points = 0;

  void include(double error, double x);
  void include(const worst_error& other);
};

/// Only promised points count; a NaN or a wrong infinity at one of them is an infinite error.
[[nodiscard]] worst_error error_of(function f, std::span<const float> x, std::span<const float> y);
[[nodiscard]] worst_error error_of(function_f64 f, std::span<const double> x,
                                   std::span<const double> y);

}  // namespace soma::exact::test
