// The mass run of random worlds (tests/actors/rules/worlds): millions of transactions over
// thousands of seeds, with every invariant checked after every block. Ends with 1 at the first
// violation. It prints the violation's seed and block and the few steps that cause it.
//   rules_worlds --transactions 10000000 --seeds 2000 [--first 0] [--threads 1] [--strict]
// Without --strict the comparisons that execute a block twice are made for a part of the blocks.
#include <atomic>
#include <chrono>
#include <cstring>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/actors/rules/worlds/random_world.hpp"

namespace {

using namespace soma::test;

struct wishes {
  std::uint64_t transactions = 10'000'000, seeds = 2'000, first = 0, threads = 1;
  bool strict = false;
};

std::optional<wishes> read(int count, char** words) {
  wishes w;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--strict") {
      w.strict = true;
      continue;
    }
    std::uint64_t* into = word == "--transactions" ? &w.transactions
                          : word == "--seeds"      ? &w.seeds
                          : word == "--first"      ? &w.first
                          : word == "--threads"    ? &w.threads
                                                   : nullptr;
    if (into == nullptr || ++i == count) return std::nullopt;
    *into = std::strtoull(words[i], nullptr, 10);
  }
  if (w.seeds == 0 || w.threads == 0) return std::nullopt;
  return w;
}

class mass_run {
 public:
  explicit mass_run(const wishes& w) : w_(w), each_(w.transactions / w.seeds) {}

  int run() {
    std::vector<std::thread> threads;
    for (std::uint64_t i = 1; i < w_.threads; ++i) threads.emplace_back([this] { work(); });
    work();
    for (auto& t : threads) t.join();
    std::cout << '\n'
              << seen_ << seconds() << " s, " << static_cast<double>(seen_.transactions) / seconds()
              << " transactions/s\n";
    if (!broken_seed_) return 0;
    report_violation();
    return 1;
  }

 private:
  strictness how(std::uint64_t seed) const {
    if (w_.strict) return {};
    return {.twin_every = 8,
            .without_every = 8,
            .recount_every = 4,
            .tree_every = seed % 16 == 0 ? 64u : 0u};
  }
  void work() {
    for (;;) {
      const auto index = next_++;
      if (index >= w_.seeds || stop_) return;
      const auto seed = w_.first + index;
      const auto report = live(seed, each_, how(seed));
      const std::lock_guard lock(mutex_);
      seen_.add(report.seen);
      if (report.broken && !broken_seed_) {
        broken_seed_ = seed;
        broken_ = report;
        stop_ = true;
      }
      if (++done_ % 100 == 0) {
        std::cout << done_ << " seeds, " << seen_.transactions << " transactions, " << seconds()
                  << " s" << std::endl;
      }
    }
  }
  void report_violation() const {
    std::cout << "VIOLATION seed " << *broken_seed_ << " after block " << broken_.height.value
              << " and " << broken_.transactions
              << " transactions of this world: " << *broken_.broken << '\n';
    script steps;
    const auto again = live(*broken_seed_, each_, {}, &steps);
    std::cout << "shrinking " << steps.steps.size() << " steps\n";
    const auto few = shrunk(std::move(steps), {});
    const auto last = replay(few, {});
    std::cout << few << "  -> " << last.broken.value_or("holds") << std::endl;
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  wishes w_;
  std::uint64_t each_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::uint64_t done_ = 0;
  coverage seen_;
  std::optional<std::uint64_t> broken_seed_;
  world_report broken_;
};

}  // namespace

int main(int count, char** words) {
  const auto w = read(count, words);
  if (!w) {
    std::cerr << "rules_worlds --transactions N --seeds N [--first N] [--threads N] [--strict]\n";
    return 2;
  }
  return mass_run(*w).run();
}
