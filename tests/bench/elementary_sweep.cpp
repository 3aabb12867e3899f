// Measures the error of every elementary function over its whole range: all 2^32 arguments of a
// binary32 function, 10^8 random arguments of a binary64 function.
//   elementary_sweep [threads] [stride] [function]
// A stride of n tries only every n-th argument.
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/model/exact/sets/elementary_error.hpp"

namespace {

using namespace soma::exact;
constexpr std::size_t block = 1 << 14;

/// Runs part(thread) in each thread and joins the results.
template <class Part>
test::worst_error spread(unsigned threads, Part part) {
  std::vector<test::worst_error> found(threads);
  std::vector<std::thread> workers;
  for (unsigned t = 0; t < threads; ++t) workers.emplace_back([&, t] { found[t] = part(t); });
  for (auto& worker : workers) worker.join();
  for (unsigned t = 1; t < threads; ++t) found[0].include(found[t]);
  return found[0];
}

test::worst_error sweep(test::function f, unsigned thread, unsigned threads, std::uint64_t stride) {
  std::vector<float> x(block), y(block);
  test::worst_error worst;
  const std::uint64_t step = block * stride;
  for (std::uint64_t start = thread * step; start < 1ull << 32; start += threads * step) {
    for (std::size_t i = 0; i < block; ++i) {
      x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(start + i * stride));
    }
    test::compute(soma::simd::chosen_isa(), f, x, y);
    worst.include(test::error_of(f, x, y));
  }
  return worst;
}

test::worst_error sample(test::function_f64 f, unsigned thread, unsigned threads,
                         std::uint64_t stride) {
  std::vector<double> y(block);
  test::worst_error worst;
  for (std::uint64_t seed = thread; seed < 100'000'000 / block / stride + 1; seed += threads) {
    const auto x = test::points_for(f, seed, block);
    test::compute(soma::simd::chosen_isa(), f, x, y);
    worst.include(test::error_of(f, x, y));
  }
  return worst;
}

template <class Function>
void print(Function f, const test::worst_error& worst) {
  std::printf("%-8s %-12s %12llu  %8.4f  %a\n", std::string(to_text(f)).c_str(),
              std::string(range_of(f)).c_str(), static_cast<unsigned long long>(worst.points),
              worst.ulp, worst.at);
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  const long threads = count > 1 ? std::atol(arguments[1]) : 1;
  const long stride = count > 2 ? std::atol(arguments[2]) : 1;
  if (threads < 1 || threads > 256 || stride < 1 || stride > 1'000'000) {
    std::fprintf(stderr, "usage: elementary_sweep [threads] [stride] [function]\n");
    return 2;
  }
  const auto n = static_cast<unsigned>(threads);
  const auto every = static_cast<std::uint64_t>(stride);
  std::printf("%-8s %-12s %12s  %8s  %s\n", "function", "range", "points", "max ulp", "at");
  const std::string only = count > 3 ? arguments[3] : "";
  for (const auto f : test::functions) {
    if (!only.empty() && only != to_text(f)) continue;
    print(f, spread(n, [&](unsigned t) { return sweep(f, t, n, every); }));
  }
  for (const auto f : test::functions_f64) {
    if (!only.empty() && only != to_text(f)) continue;
    print(f, spread(n, [&](unsigned t) { return sample(f, t, n, every); }));
  }
  return 0;
}
