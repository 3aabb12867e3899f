#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "model/exact/elementary_table.hpp"
#include "model/noise/elementary.hpp"
#include "tests/model/exact/sets/elementary_error.hpp"

namespace soma::exact::test {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// The figures of model/exact/sets/elementary.hpp, in ulp.
double limit_of(function f) {
  constexpr double limits[] = {0.9, 0.93, 1.05, 1.65, 1.5, 1.55, 1.55};
  return limits[static_cast<std::size_t>(f)];
}
/// The last two figures are those of model/noise/elementary.hpp.
double limit_of(function_f64 f) {
  constexpr double limits[] = {0.8, 0.8, 0.9, 1.0};
  return limits[static_cast<std::size_t>(f)];
}

/// Every NaN counts as the same one (arithmetic §1.5).
template <class Number>
bool same(Number a, Number b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

/// Compares the bits of all instruction sets with the portable ones, and the portable ones with the
/// true values.
template <class Number, class Function>
worst_error compare_all(Function f, std::uint64_t first_seed, std::size_t points) {
  constexpr std::size_t block = 1 << 14;
  worst_error worst;
  std::vector<Number> plain(block), fast(block);
  for (std::uint64_t seed = first_seed; worst.points < points; ++seed) {
    CAPTURE(seed);
    const auto x = points_for(f, seed, block);
    compute(simd::isa::portable, f, x, plain);
    worst.include(error_of(f, x, plain));
    for (const auto set : simd::available_isas()) {
      if (set == simd::isa::portable) continue;
      compute(set, f, x, fast);
      for (std::size_t i = 0; i < block; ++i) {
        if (same(plain[i], fast[i])) continue;
        CAPTURE(to_text(set));
        CAPTURE(x[i]);
        REQUIRE(fast[i] == plain[i]);
        REQUIRE(std::signbit(fast[i]) == std::signbit(plain[i]));
      }
    }
  }
  MESSAGE(to_text(f) << ": " << worst.ulp << " ulp at " << worst.at << ", " << worst.points
                     << " points");
  return worst;
}

/// Calls check(f(x)) for every instruction set, every lane of a vector and several lengths.
template <class Check>
void everywhere(function f, float x, Check check) {
  for (const auto set : simd::available_isas()) {
    CAPTURE(to_text(set));
    for (const std::size_t count : {1u, 7u, 16u, 35u}) {
      CAPTURE(count);
      const std::vector<float> in(count, x);
      std::vector<float> out(count, -7777);
      compute(set, f, in, out);
      for (const float y : out) check(y);
    }
  }
}

void expect(function f, float x, float expected) {
  CAPTURE(to_text(f));
  CAPTURE(x);
  everywhere(f, x, [&](float y) {
    CAPTURE(y);
    REQUIRE(same(y, expected));
  });
}

/// FNV-1a over the bits of results; every NaN counts as the same one.
template <class Number, class Function>
std::uint64_t digest_of(Function f) {
  std::uint64_t digest = 14695981039346656037u;
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {
    const auto x = points_for(f, seed, 1 << 14);
    std::vector<Number> y(x.size());
    compute(simd::available_isas().back(), f, x, y);
    for (const Number value : y) {
      std::uint64_t bits = 0;
      if (std::isnan(value)) {
        bits = 0x7ff8;
      } else {
        std::memcpy(&bits, &value, sizeof value);
      }
      digest = (digest ^ bits) * 1099511628211u;
    }
  }
  return digest;
}

template <class Number, class Function>
void hold_to_promise(Function f) {
  constexpr std::size_t points = 4'000'000;  // tests/bench/elementary_sweep takes every float
  CAPTURE(to_text(f));
  const auto worst = compare_all<Number>(f, 1, points);
  CHECK(worst.points >= points);
  CHECK(worst.ulp <= limit_of(f));
  CHECK(limit_of(f) <= 2);
}

}  // namespace

// Arithmetic §4.1 to §4.7.
TEST_CASE("binary32 functions keep their promised error and every instruction set's bits") {
  for (const auto f : functions) hold_to_promise<float>(f);
}

// Arithmetic §4.8 to §4.10.
TEST_CASE("binary64 functions keep their promised error and every instruction set's bits") {
  for (const auto f : functions_f64) hold_to_promise<double>(f);
}

// Arithmetic §1.2.
TEST_CASE("the bits are those recorded, whatever compiler and processor made them") {
  constexpr std::uint64_t recorded[] = {0x2d91bb60c8b578b4, 0xa45479bdb41d1a70, 0x4197b5dc7f25e347,
                                        0x02ef821d9fdfb0ea, 0xddcf5e75c437d26b, 0x3656a5e4c6420ed7,
                                        0xc8ecb5b261ef4808};
  constexpr std::uint64_t recorded_f64[] = {0x093128fdf5fb9abb, 0x8c3a393af9144bf2,
                                            0x9dd65261ca67bdc3, 0xfe458474528ab0e1};
  for (const auto f : functions) {
    CAPTURE(to_text(f));
    CHECK(digest_of<float>(f) == recorded[static_cast<std::size_t>(f)]);
  }
  for (const auto f : functions_f64) {
    CAPTURE(to_text(f));
    CHECK(digest_of<double>(f) == recorded_f64[static_cast<std::size_t>(f)]);
  }
}

TEST_CASE("exp is right at its edges") {
  expect(function::exp, 0, 1);
  expect(function::exp, -0.0f, 1);
  expect(function::exp, 1e-20f, 1);
  expect(function::exp, infinity, infinity);
  expect(function::exp, -infinity, 0);
  expect(function::exp, 0x1.62e42ep+6f,
         0x1.ffff08p+127f);  // the largest argument with a finite result
  expect(function::exp, 0x1.62e43p+6f, infinity);
  expect(function::exp, 3e38f, infinity);
  expect(function::exp, -0x1.9fe368p+6f, 0x1p-149f);  // the smallest argument with a result above 0
  expect(function::exp, -0x1.9fe36ap+6f, 0);
  expect(function::exp, -3e38f, 0);
  expect(function::exp, nan, nan);
  expect(function::exp, -nan, nan);
}

TEST_CASE("log is right at its edges and never below zero from one on") {
  everywhere(function::log, 1, [](float y) { REQUIRE(same(y, 0.0f)); });
  expect(function::log, 0, -infinity);
  expect(function::log, -0.0f, -infinity);
  expect(function::log, infinity, infinity);
  expect(function::log, -infinity, nan);
  expect(function::log, -1, nan);
  expect(function::log, -0x1p-149f, nan);
  expect(function::log, nan, nan);
  expect(function::log, 0x1p-149f, -0x1.9d1dap+6f);
  expect(function::log, 0x1.fffffep+127f, 0x1.62e43p+6f);
  std::vector<float> x(1 << 20), y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(0x3f800000 + i));
  }
  for (const auto set : simd::available_isas()) {
    compute(set, function::log, x, y);
    for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(y[i] >= 0);
  }
}

TEST_CASE("erf is odd, never beyond one, and one in the end") {
  expect(function::erf, 0, 0);
  expect(function::erf, -0.0f, -0.0f);
  for (const float large : {3.921f, 3.9375f, 4.0f, 100.0f, 3e38f, infinity}) {
    expect(function::erf, large, 1);
    expect(function::erf, -large, -1);
  }
  expect(function::erf, nan, nan);
  expect(function::erf, 0x1p-149f, 0x1p-149f);
  random_bits random(3);
  std::vector<float> x(1 << 18), negative(x.size()), y(x.size()), z(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(random.unit() * 4.5);
    negative[i] = -x[i];
  }
  for (const auto set : simd::available_isas()) {
    compute(set, function::erf, x, y);
    compute(set, function::erf, negative, z);
    for (std::size_t i = 0; i < x.size(); ++i) {
      REQUIRE(y[i] == -z[i]);
      REQUIRE(std::abs(y[i]) <= 1);
    }
  }
}

TEST_CASE("gelu is the expression of its definition, step by step") {
  expect(function::gelu, 0, 0);
  expect(function::gelu, -0.0f, -0.0f);
  expect(function::gelu, infinity, infinity);
  expect(function::gelu, -infinity, nan);
  expect(function::gelu, nan, nan);
  expect(function::gelu, -6, -0.0f);
  expect(function::gelu, 6, 6);
  for (const auto set : simd::available_isas()) {
    const auto x = points_for(function::gelu, 5, 1 << 16);
    std::vector<float> u(x.size()), e(x.size()), y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) u[i] = x[i] * 0x1.6a09e6p-1f;
    compute(set, function::erf, u, e);
    compute(set, function::gelu, x, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      REQUIRE(same(y[i], x[i] * 0.5f * (1.0f + e[i])));
    }
  }
}

TEST_CASE("sine and cosine are right at their edges") {
  expect(function::sin, 0, 0);
  expect(function::sin, -0.0f, 0);
  expect(function::cos, 0, 1);
  expect(function::sin, 0x1p-149f, 0x1p-149f);
  for (const float beyond : {0x1p+50f, -0x1p+50f, 3e38f, infinity, -infinity, nan}) {
    expect(function::sin, beyond, nan);
    expect(function::cos, beyond, nan);
  }
  everywhere(function::sin, 0x1.fffffep+49f, [](float y) { REQUIRE(std::abs(y) <= 1); });
}

TEST_CASE("sine and cosine in binary64 are right at their edges") {
  const double beyond = 0x1p+32;
  const std::array<double, 9> x{0,
                                -0.0,
                                0x1.fffffffffffffp+31,
                                beyond,
                                -beyond,
                                1e300,
                                -1e300,
                                std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN()};
  for (const auto set : simd::available_isas()) {
    CAPTURE(to_text(set));
    std::array<double, 9> s{}, c{};
    elementary_for(set).sincos_f64(x.data(), s.data(), c.data(), x.size());
    CHECK(same(s[0], 0.0));
    CHECK(same(s[1], 0.0));
    CHECK(c[0] == 1);
    CHECK(c[1] == 1);
    CHECK(std::abs(s[2]) <= 1);
    for (std::size_t i = 3; i < x.size(); ++i) {
      CHECK(std::isnan(s[i]));
      CHECK(std::isnan(c[i]));
    }
  }
}

TEST_CASE("the noise's exp and log are exact at 0 and 1") {
  CHECK(same(noise::exact_exp(0), 1.0));
  CHECK(same(noise::exact_log(1), 0.0));
}

TEST_CASE("the reciprocal root is two correctly rounded operations") {
  const auto x = points_for(function::rsqrt, 11, 1 << 18);
  for (const auto set : simd::available_isas()) {
    std::vector<float> y(x.size());
    compute(set, function::rsqrt, x, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      REQUIRE(same(y[i], 1.0f / std::sqrt(x[i])));
    }
  }
}

}  // namespace soma::exact::test
