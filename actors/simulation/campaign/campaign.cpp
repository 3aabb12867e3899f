#include "actors/simulation/campaign/campaign.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "actors/simulation/random.hpp"

namespace soma::campaign {
namespace {

thread_local std::uint64_t running_seed = 0;

simulation::fault_plan drawn(std::uint64_t seed, const drawing& wanted) {
  auto p = draw(seed, wanted);
  SOMA_ASSERT(p.has_value(), "plans with so many processes can be drawn");
  return std::move(*p);
}

void add(campaign_result& all, std::uint64_t seed, const simulation::outcome& one) {
  all.runs += 1;
  all.events += one.events;
  all.virtual_ms += one.virtual_ms;
  all.blocks += one.blocks;
  all.epochs += one.epochs;
  all.crashes += one.crashes;
  all.max_held_bytes = std::max(all.max_held_bytes, one.max_held_bytes);
  all.counts += one.counts;
  all.trace_hash += simulation::mix(seed, one.trace_hash);  // a sum: threads finish in any order
  if (one.ok) {
    all.recovery_ms.push_back(one.recovery_ms);
  } else {
    all.broken += 1;
    all.broken_by[std::string(invariant_of(one.violation))] += 1;
  }
}

class campaign {
 public:
  campaign(const campaign_options& options,
           const std::function<bool(const campaign_progress&)>& on_progress)
      : options_(options), on_progress_(on_progress) {}

  campaign_result run() {
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 1; i < options_.threads; ++i) threads.emplace_back([this] { work(); });
    work();
    threads.clear();
    std::ranges::sort(seen_.recovery_ms);
    if (first_seed_) keep_violation();
    return std::move(seen_);
  }

 private:
  void work() {
    // Runs begin in the order of their seeds, and a run that has begun is finished. So the lowest
    // seed that fails is found, whatever the threads do.
    for (;;) {
      const std::uint64_t index = next_++;
      if (index >= options_.seeds.count() || ends_) return;
      const std::uint64_t seed = options_.seeds.first + index;
      running_seed = seed;
      const auto one = simulation::run(drawn(seed, options_.plans), options_.each);
      running_seed = 0;
      take(seed, one);
    }
  }
  void take(std::uint64_t seed, const simulation::outcome& one) {
    const std::lock_guard lock(mutex_);
    add(seen_, seed, one);
    if (!one.ok) {
      if (!first_seed_ || seed < *first_seed_) first_seed_ = seed, first_violation_ = one.violation;
      if (options_.ends_at_violation) ends_ = true;
    }
    if (!on_progress_) return;
    if (!on_progress_(
            {seen_.runs, options_.seeds.count(), seen_.virtual_ms, seen_.events, seen_.broken})) {
      seen_.stopped = true;
      ends_ = true;
    }
  }
  void keep_violation() {
    violation_found found;
    found.seed = *first_seed_;
    found.violation = first_violation_;
    found.drawn = found.small = drawn(found.seed, options_.plans);
    if (options_.shrinks && !seen_.stopped) {
      auto shrunk = shrink(found.drawn, options_.each, options_.shrink_runs);
      found.small = std::move(shrunk.smallest);
      found.small_run = std::move(shrunk.run);
      found.shrink_runs = shrunk.runs;
    }
    seen_.found = std::move(found);
  }

  const campaign_options& options_;
  const std::function<bool(const campaign_progress&)>& on_progress_;
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<bool> ends_ = false;
  std::mutex mutex_;
  campaign_result seen_;
  std::optional<std::uint64_t> first_seed_;
  std::string first_violation_;
};

}  // namespace

std::optional<simulation::fault_plan> draw(std::uint64_t seed, const drawing& wanted) {
  constexpr int tries = 1'000;
  for (int i = 0; i < tries; ++i, seed = simulation::mix(seed)) {
    auto p = wanted.beyond_tolerance ? simulation::draw_plan_beyond(seed)
                                     : simulation::draw_plan(seed, wanted.intensity);
    if (wanted.nodes == 0 || p.nodes.size() == wanted.nodes) return p;
  }
  return std::nullopt;
}

std::uint64_t seed_of_this_thread() noexcept {
  return running_seed;
}

campaign_result run_campaign(const campaign_options& options,
                             const std::function<bool(const campaign_progress&)>& on_progress) {
  SOMA_ASSERT(options.seeds.first <= options.seeds.last && options.threads >= 1,
              "a campaign has seeds and a thread");
  SOMA_ASSERT(!options.each.trace, "a campaign has no trace");
  return campaign(options, on_progress).run();
}

std::vector<simulation::coverage> never_happened(const simulation::run_counts& counts) {
  std::vector<simulation::coverage> never;
  for (std::size_t i = 0; i < simulation::counted_kinds; ++i) {
    const auto kind = static_cast<simulation::coverage>(i);
    if (kind == simulation::coverage::alarms) continue;  // only wrong execution raises one
    if (counts[kind] == 0) never.push_back(kind);
  }
  return never;
}

std::string_view invariant_of(std::string_view violation) {
  return violation.substr(0, violation.find(':'));
}

std::string to_text(const simulation::trace_line& line) {
  char head[40];
  std::snprintf(head, sizeof head, "%6llu.%06llu  ",
                static_cast<unsigned long long>(line.time_us / 1'000'000),
                static_cast<unsigned long long>(line.time_us % 1'000'000));
  const std::string who =
      line.node_index == simulation::whole_network ? "--" : "#" + std::to_string(line.node_index);
  return head + who + std::string(who.size() < 4 ? 4 - who.size() : 1, ' ') + line.text;
}

}  // namespace soma::campaign
