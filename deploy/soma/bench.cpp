#include "deploy/soma/bench.hpp"

#include <algorithm>
#include <chrono>

namespace soma {
namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

void time_one(const std::function<void()>& work, std::vector<double>& into) {
  const auto start = clock::now();
  work();
  into.push_back(seconds_since(start));
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace

raced race(const std::function<void()>& ours, const std::function<void()>& peer, double seconds) {
  constexpr std::size_t least = 3;
  constexpr std::size_t most = 10'000;
  ours();
  peer();
  std::vector<double> ours_taken, peer_taken;
  const auto start = clock::now();
  for (std::size_t i = 0; i < most && (i < least || seconds_since(start) < seconds); ++i) {
    const bool ours_first =
        i % 2 == 0;  // neither always inherits what the other left in the caches
    time_one(ours_first ? ours : peer, ours_first ? ours_taken : peer_taken);
    time_one(ours_first ? peer : ours, ours_first ? peer_taken : ours_taken);
  }
  return {median(ours_taken), median(peer_taken)};
}

}  // namespace soma
