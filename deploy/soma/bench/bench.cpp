#include "deploy/soma/bench/bench.hpp"

#include "deploy/soma/shell/stop.hpp"

#include <algorithm>
#include <chrono>

namespace soma::cli {
namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace

double seconds_of(const std::function<void()>& work) {
  const auto start = clock::now();
  work();
  return seconds_since(start);
}

std::vector<double> race_all(const std::vector<std::function<void()>>& rivals, double seconds) {
  constexpr std::size_t least = 3;
  constexpr std::size_t most = 10'000;
  for (const auto& rival : rivals) {
    leave_if_stop_requested();
    rival();
  }
  std::vector<std::vector<double>> taken(rivals.size());
  const auto start = clock::now();
  for (std::size_t i = 0; i < most && (i < least || seconds_since(start) < seconds); ++i) {
    for (std::size_t turn = 0; turn < rivals.size(); ++turn) {
      // The order changes every round, so that no rival always runs after the same other one and
      // finds what that one left in the caches.
      leave_if_stop_requested();
      const std::size_t who = i % 2 == 0 ? turn : rivals.size() - 1 - turn;
      taken[who].push_back(seconds_of(rivals[who]));
    }
  }
  std::vector<double> medians;
  for (auto& times : taken) medians.push_back(median(std::move(times)));
  return medians;
}

raced race(const std::function<void()>& ours, const std::function<void()>& peer, double seconds) {
  const auto medians = race_all({ours, peer}, seconds);
  return {medians[0], medians[1]};
}

}  // namespace soma::cli
