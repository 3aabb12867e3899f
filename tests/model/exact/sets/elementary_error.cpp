#include "tests/model/exact/sets/elementary_error.hpp"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>
#include <numbers>

#include "model/exact/elementary_table.hpp"
#include "model/noise/elementary.hpp"

static_assert(LDBL_MANT_DIG >= 64, "the truth of binary64 needs a wider type");

namespace soma::exact::test {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

double true_value(function f, double x) {
  switch (f) {
    case function::exp:
      return std::exp(x);
    case function::log:
      return std::log(x);
    case function::erf:
      return std::erf(x);
    case function::gelu:
      return x * 0.5 * std::erfc(-x * (std::numbers::sqrt2 / 2));
    case function::rsqrt:
      return 1 / std::sqrt(x);
    case function::sin:
      return std::sin(x);
    case function::cos:
      return std::cos(x);
  }
  return infinite;
}

long double true_value(function_f64 f, long double x) {
  switch (f) {
    case function_f64::sin:
      return std::sin(x);
    case function_f64::cos:
      return std::cos(x);
    case function_f64::exp:
      return std::exp(x);
    case function_f64::log:
      return std::log(x);
  }
  return infinite;
}

/// The distance between neighbouring binary32 numbers around `value`.
double ulp_f32(double value) {
  const auto exponent = static_cast<int>(std::bit_cast<std::uint64_t>(value) >> 52 & 0x7ff) - 1023;
  return std::bit_cast<double>(
      static_cast<std::uint64_t>(std::clamp(exponent, -126, 127) - 23 + 1023) << 52);
}

double error_f32(function f, float x, float y) {
  const double truth = true_value(f, x);
  if (std::isinf(static_cast<float>(truth))) return y == static_cast<float>(truth) ? 0 : infinite;
  const double unit = f == function::gelu && x < 0 ? ulp_f32(x / 2) : ulp_f32(truth);
  const double error = std::abs(y - truth) / unit;
  return std::isnan(error) ? infinite : error;
}

double error_f64(function_f64 f, double x, double y) {
  const long double truth = true_value(f, static_cast<long double>(x));
  int exponent = 0;
  std::frexp(truth, &exponent);
  const auto error =
      static_cast<double>(std::ldexp(std::abs(y - truth), 53 - std::max(exponent, -1021)));
  return std::isnan(error) ? infinite : error;
}

/// The argument that is `steps` binary32 numbers further up in the order of bit patterns.
float neighbour(float x, std::int64_t steps) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(std::bit_cast<std::uint32_t>(x) + steps));
}

constexpr float edges[] = {0.0f,        -0.0f,       1.0f,        -1.0f,       0x1p-126f,
                           0x1p-149f,   88.722839f,  -87.336545f, -103.97208f, -103.27893f,
                           0.34657359f, 0.70710678f, 1.41421356f, 0x1p+50f,    3.9192059f,
                           3.9375f,     -3.9192059f, 0.12872958f, 5.5f,        -5.5f,
                           1e-5f,       0x1p+127f};

struct span_of_use {
  double from, to;
};
span_of_use used(function f) {
  switch (f) {
    case function::exp:
      return {-110, 92};
    case function::log:
      return {0, 4};
    case function::erf:
      return {-4.5, 4.5};
    case function::gelu:
      return {-8, 8};
    case function::rsqrt:
      return {0, 16};
    default:
      return {-200, 200};
  }
}

}  // namespace

std::string_view to_text(function f) {
  constexpr std::string_view names[] = {"exp", "log", "erf", "gelu", "rsqrt", "sin", "cos"};
  return names[static_cast<std::size_t>(f)];
}
std::string_view to_text(function_f64 f) {
  constexpr std::string_view names[] = {"sin f64", "cos f64", "exp f64", "log f64"};
  return names[static_cast<std::size_t>(f)];
}
std::string_view range_of(function f) {
  constexpr std::string_view ranges[] = {"all",   "x > 0",      "all",       "finite",
                                         "x > 0", "|x| < 2^50", "|x| < 2^50"};
  return ranges[static_cast<std::size_t>(f)];
}
std::string_view range_of(function_f64 f) {
  constexpr std::string_view ranges[] = {"|x| < 2^32", "|x| < 2^32", "|x| <= 700", "normal > 0"};
  return ranges[static_cast<std::size_t>(f)];
}

bool promised(function f, float x) {
  switch (f) {
    case function::log:
    case function::rsqrt:
      return x > 0 && std::isfinite(x);
    case function::gelu:
      return std::isfinite(x);
    case function::sin:
    case function::cos:
      return std::abs(x) < 0x1p+50f;
    default:
      return !std::isnan(x);
  }
}
bool promised(function_f64 f, double x) {
  switch (f) {
    case function_f64::exp:
      return std::abs(x) <= 700;
    case function_f64::log:
      return x >= DBL_MIN && std::isfinite(x);
    default:
      return std::abs(x) < 0x1p+32;
  }
}

std::vector<float> points_for(function f, std::uint64_t seed, std::size_t count) {
  random_bits random(seed);
  const auto use = used(f);
  std::vector<float> x(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t bits = random.next();
    if (i % 8 < 3) {
      x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    } else if (i % 8 < 6) {
      x[i] = static_cast<float>(use.from + (use.to - use.from) * random.unit());
    } else if (i % 8 == 6) {
      x[i] =
          neighbour(edges[bits % std::size(edges)], static_cast<std::int64_t>(bits >> 51) - 4096);
    } else {  // a multiple of pi / 4, of every size
      const auto multiple = static_cast<double>(bits >> (14 + random.next() % 50));
      x[i] = neighbour(static_cast<float>(multiple * (std::numbers::pi / 4)),
                       static_cast<std::int64_t>(random.next() % 5) - 2);
    }
  }
  return x;
}

std::vector<double> points_for(function_f64 f, std::uint64_t seed, std::size_t count) {
  random_bits random(seed);
  const bool angle = f == function_f64::sin || f == function_f64::cos;
  std::vector<double> x(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double unit = random.unit();
    if (f == function_f64::exp) {
      x[i] = (unit - 0.5) * (i % 2 == 0 ? 1400 : 20);
    } else if (f == function_f64::log) {
      x[i] = i % 3 == 0   ? std::ldexp(1 + unit, static_cast<int>(random.next() % 2046) - 1022)
             : i % 3 == 1 ? 1 + (unit - 0.5) / 8
                          : unit + 0x1p-60;
    } else if (i % 4 == 0) {  // rotary angles: a position times an inverse wavelength
      x[i] = static_cast<double>(random.next() >> (33 + random.next() % 31)) *
             noise::exact_exp(-9.210340371976184 * unit);
    } else if (i % 4 == 1) {
      x[i] = std::ldexp(1 + unit, static_cast<int>(random.next() % 80) - 48);
    } else if (i % 4 == 2) {
      x[i] = unit * 100;
    } else {  // the numbers next to a multiple of pi / 4
      const auto multiple = static_cast<double>(random.next() >> (32 + random.next() % 31));
      const double near =
          std::fma(multiple, 0x1.921fb54442d18p-1, multiple * 0x1.1a62633145c07p-55);
      x[i] = std::bit_cast<double>(std::bit_cast<std::uint64_t>(near) + random.next() % 3);
    }
    if (angle && random.next() % 2 == 0) x[i] = -x[i];
  }
  return x;
}

void compute(simd::isa set, function f, std::span<const float> x, std::span<float> y) {
  const auto& table = elementary_for(set);
  const auto go = [&](auto what) { what(x.data(), y.data(), x.size()); };
  std::vector<float> other(f == function::sin || f == function::cos ? x.size() : 0);
  switch (f) {
    case function::exp:
      return go(table.exp);
    case function::log:
      return go(table.log);
    case function::erf:
      return go(table.erf);
    case function::gelu:
      return go(table.gelu);
    case function::rsqrt:
      return go(table.rsqrt);
    case function::sin:
      return table.sincos(x.data(), y.data(), other.data(), x.size());
    case function::cos:
      return table.sincos(x.data(), other.data(), y.data(), x.size());
  }
}

void compute(simd::isa set, function_f64 f, std::span<const double> x, std::span<double> y) {
  std::vector<double> other(x.size());
  const auto sincos = elementary_for(set).sincos_f64;
  switch (f) {
    case function_f64::sin:
      return sincos(x.data(), y.data(), other.data(), x.size());
    case function_f64::cos:
      return sincos(x.data(), other.data(), y.data(), x.size());
    case function_f64::exp:
      std::ranges::transform(x, y.begin(), noise::exact_exp);
      return;
    case function_f64::log:
      std::ranges::transform(x, y.begin(), noise::exact_log);
      return;
  }
}

void worst_error::include(double error, double x) {
  points += 1;
  if (error > ulp) {
    ulp = error;
    at = x;
  }
}

void worst_error::include(const worst_error& other) {
  points += other.points;
  if (other.ulp > ulp) {
    ulp = other.ulp;
    at = other.at;
  }
}

worst_error error_of(function f, std::span<const float> x, std::span<const float> y) {
  worst_error worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (promised(f, x[i])) worst.include(error_f32(f, x[i], y[i]), x[i]);
  }
  return worst;
}

worst_error error_of(function_f64 f, std::span<const double> x, std::span<const double> y) {
  worst_error worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (promised(f, x[i])) worst.include(error_f64(f, x[i], y[i]), x[i]);
  }
  return worst;
}

}  // namespace soma::exact::test
