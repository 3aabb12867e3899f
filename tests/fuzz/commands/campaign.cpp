#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "tests/fuzz/commands/trials.hpp"

namespace soma::fuzz {
namespace {

using clock = std::chrono::steady_clock;

class runner {
 public:
  runner(const campaign& wanted, const std::string& program)
      : wanted_(wanted), program_(program), end_(clock::now() + wanted.time) {}

  campaign_result run() {
    std::vector<std::thread> threads;
    for (std::uint64_t i = 1; i < wanted_.threads; ++i) threads.emplace_back([this] { work(); });
    work();
    for (auto& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    return result_;
  }

 private:
  void work() {
    try {
      const support::scratch_folder place;
      sandbox box(place.path(), program_);
      auto table = cli::bind_verbs();
      for (;;) {
        const auto index = next_++;
        if (index >= wanted_.count || stop_) return;
        if (wanted_.time.count() != 0 && clock::now() > end_) return;
        one(wanted_.first + index, table, box);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      stop_ = true;
    }
  }

  void one(std::uint64_t seed, std::vector<cli::bound_verb>& table, sandbox& box) {
    const auto t = make_trial(seed, table);
    const auto result = run_trial(t, box);
    {
      const std::lock_guard lock(mutex_);
      ++(t.file ? result_.documents : result_.command_lines);
      if (result.was_stopped) ++result_.stopped;
      if (result.exit_code >= 0 && result.exit_code <= 2) {
        ++result_.exit_codes[static_cast<std::size_t>(result.exit_code)];
      }
      if (result.complaint.empty()) return;
      ++result_.findings;
    }
    const auto smaller = shrunk(t, result.complaint, box);
    const std::lock_guard lock(mutex_);
    std::fprintf(stderr, "seed %llu: %s\n  %s\n  shrunk: %s\n",
                 static_cast<unsigned long long>(seed), result.complaint.c_str(),
                 shell_commands(t, program_, box).c_str(),
                 shell_commands(smaller, program_, box).c_str());
  }

  campaign wanted_;
  const std::string& program_;
  clock::time_point end_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  campaign_result result_;
  std::exception_ptr failure_;
};

}  // namespace

campaign_result run_campaign(const campaign& wanted, const std::string& program) {
  return runner(wanted, program).run();
}

}  // namespace soma::fuzz
