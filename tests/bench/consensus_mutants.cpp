// Every rule of agreement broken in turn, and how long the simulated network takes to notice. Ends
// with 1 when a mutant survives.
//   consensus_mutants [--seeds 5000] [--first 1] [--threads 1] [--only NAME]...
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/actors/world/agreement/mutants.hpp"

namespace {

using namespace soma;
using namespace soma::agreement_world::testing;

struct wishes {
  std::uint64_t seeds = 5'000, first = 1, threads = 1;
  std::vector<consensus::mutation_words> which;
};

std::optional<wishes> read(int count, char** words) {
  wishes w;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view word = words[i];
    if (word == "--only") {
      const auto found = std::ranges::find(consensus::all_mutations, std::string_view(words[i + 1]),
                                           &consensus::mutation_words::name);
      if (found == consensus::all_mutations.end()) return std::nullopt;
      w.which.push_back(*found);
      continue;
    }
    auto* into = word == "--seeds"     ? &w.seeds
                 : word == "--first"   ? &w.first
                 : word == "--threads" ? &w.threads
                                       : nullptr;
    if (into == nullptr) return std::nullopt;
    *into = std::strtoull(words[i + 1], nullptr, 10);
  }
  if (count % 2 == 0 || w.seeds == 0 || w.threads == 0) return std::nullopt;
  if (w.which.empty()) {
    w.which.assign(consensus::all_mutations.begin(), consensus::all_mutations.end());
  }
  return w;
}

void print(const consensus::mutation_words& m, const mutant_fate& fate, double seconds) {
  std::cout << std::left << std::setw(5) << m.rule << std::setw(30) << m.name << std::right;
  if (fate.killed && fate.seeds == 0) {
    std::cout << std::setw(8) << "story";
  } else {
    std::cout << std::setw(8) << fate.seeds;
  }
  std::cout << std::setw(9) << std::fixed << std::setprecision(1) << seconds << " s  ";
  if (!fate.killed) {
    std::cout << "SURVIVES";
  } else if (fate.seeds != 0) {
    std::cout << "seed " << fate.seed << ", intensity " << fate.intensity << ": "
              << fate.by.substr(0, fate.by.find(';'));
  }
  std::cout << std::endl;
}

class hunt {
 public:
  explicit hunt(const wishes& w) : w_(w) {}

  int run() {
    std::cout << "rule mutant                          seeds     time  noticed by\n";
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 1; i < w_.threads; ++i) threads.emplace_back([this] { work(); });
    work();
    threads.clear();
    std::cout << w_.which.size() << " mutants, " << killed_ << " killed, " << survive_
              << " survive\n";
    return survive_ == 0 ? 0 : 1;
  }

 private:
  void work() {
    for (;;) {
      const auto index = next_++;
      if (index >= w_.which.size()) return;
      const auto& m = w_.which[index];
      const auto start = std::chrono::steady_clock::now();
      const auto fate = fate_of(m.which, w_.first, w_.first + w_.seeds - 1);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      const std::lock_guard lock(mutex_);
      (fate.killed ? killed_ : survive_) += 1;
      print(m, fate, took.count());
    }
  }

  const wishes& w_;
  std::atomic<std::uint64_t> next_ = 0;
  std::mutex mutex_;
  std::uint64_t killed_ = 0, survive_ = 0;
};

}  // namespace

int main(int count, char** words) {
  const auto w = read(count, words);
  if (!w) {
    std::cerr << "consensus_mutants [--seeds N] [--first N] [--threads N] [--only NAME]...\n";
    return 2;
  }
  return hunt(*w).run();
}
