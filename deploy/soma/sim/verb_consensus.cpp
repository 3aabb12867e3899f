// Runs the agreement among validators in simulated networks in which everything goes wrong, one
// network for each seed. The code is the production core. A failure is reported as a seed, with
// which the same binary shows the same run again.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <thread>

#include "actors/simulation/campaign/campaign.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

constexpr std::uint32_t max_threads = 256;

/// Reads "A..B", or "A" for one seed. Both ends belong to the range.
std::optional<campaign::seed_range> read_range(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value);
    if (digits.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return value;
  };
  const auto dots = text.find("..");
  const auto first = number(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : number(text.substr(dots + 2));
  if (!first || !last || *last < *first || *last - *first == UINT64_MAX) return std::nullopt;
  return campaign::seed_range{*first, *last};
}

std::string hash_text(std::uint64_t hash) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

std::string hours_text(std::uint64_t ms) {
  return decimal_text(static_cast<double>(ms) / 3'600'000, 1);
}

std::uint64_t at_share(const std::vector<std::uint64_t>& ascending, double share) {
  if (ascending.empty()) return 0;
  return ascending[static_cast<std::size_t>(share * static_cast<double>(ascending.size() - 1))];
}

/// Prints the seed of the run when an assertion ends the process. With the seed the run can be
/// repeated.
extern "C" void tell_seed(int) {
  char line[64];
  const int length =
      std::snprintf(line, sizeof line, "soma: an assertion failed in seed %llu\n",
                    static_cast<unsigned long long>(campaign::seed_of_this_thread()));
  if (length > 0) [[maybe_unused]]
    const auto n = ::write(STDERR_FILENO, line, length);
}

class sim_consensus final : public verb {
 public:
  std::string_view name() const override { return "sim consensus"; }
  std::string_view summary() const override {
    return "run agreement among validators in simulated networks, one for each seed";
  }
  std::string_view example() const override {
    return "soma sim consensus --seeds 1..10000 --threads 2\n"
           "soma sim consensus --seeds 1..500 --byzantine f+1\n"
           "soma sim consensus --replay 4711 --trace";
  }
  void declare(option_set& options) override {
    options.add("seeds", seeds_, "the first and the last seed").shown_as("A..B");
    options.add("threads", threads_, "number of runs at the same time");
    options.add(
        "intensity", plans_.intensity,
        "0: nothing breaks; 1: single faults; 2: the usual mixture; 3: every kind of fault");
    options.add("nodes", plans_.nodes, "only networks with this many nodes; 0: all sizes");
    options
        .add("byzantine", byzantine_,
             "f: as much power lies as is tolerated; f+1: more, and agreement must break")
        .among({"f", "f+1"});
    options.add("max-events", each_.max_events,
                "most events of one run; more count as a violation");
    options.add("replay", replay_, "run this seed alone and show the result").shown_as("SEED");
    options.add("trace", trace_, "with --replay: print everything that happens, line by line");
    options.add("shrink", shrink_,
                "with --replay: leave out all faults that the violation does not need");
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] outcome read_options();
  [[nodiscard]] outcome replay(const run_context& context) const;
  [[nodiscard]] outcome campaign(const run_context& context) const;
  [[nodiscard]] outcome verdict(const campaign::campaign_result& seen) const;
  void print(const campaign::campaign_result& seen) const;
  void print_json(const campaign::campaign_result& seen) const;
  [[nodiscard]] std::string again(std::uint64_t seed, bool is_known_to_break) const;

  std::string seeds_ = "1..1000", byzantine_ = "f";
  std::optional<std::uint64_t> replay_;
  std::uint32_t threads_ = std::clamp(std::thread::hardware_concurrency(), 1u, max_threads);
  bool trace_ = false, shrink_ = false;
  campaign::drawing plans_;
  simulation::run_options each_;
  campaign::seed_range range_;
};

outcome sim_consensus::read_options() {
  if (threads_ < 1 || threads_ > max_threads) {
    return wrong_usage("--threads", "it is not between 1 and 256", "leave it out for every core");
  }
  if (plans_.intensity > 3) return wrong_usage("--intensity", "it is not between 0 and 3");
  const auto range = read_range(seeds_);
  if (!range) {
    return wrong_usage("--seeds", "\"" + seeds_ + "\" is not a range of seeds", "write 1..1000");
  }
  range_ = *range;
  plans_.beyond_tolerance = byzantine_ == "f+1";
  if (!campaign::draw(range_.first, plans_)) {
    return wrong_usage("--nodes", "no seed has a network of that many processes", "try 4 to 10");
  }
  if ((trace_ || shrink_) && !replay_) {
    return wrong_usage(trace_ ? "--trace" : "--shrink", "it can only be used with --replay");
  }
  return {};
}

std::string sim_consensus::again(std::uint64_t seed, bool is_known_to_break) const {
  std::string line = "soma sim consensus --replay " + std::to_string(seed) + " --trace";
  if (is_known_to_break) line += " --shrink";
  if (plans_.intensity != 2) line += " --intensity " + std::to_string(plans_.intensity);
  if (plans_.nodes != 0) line += " --nodes " + std::to_string(plans_.nodes);
  if (plans_.beyond_tolerance) line += " --byzantine f+1";
  if (each_.max_events != simulation::run_options{}.max_events) {
    line += " --max-events " + std::to_string(each_.max_events);
  }
  return line;
}

outcome sim_consensus::replay(const run_context& context) const {
  auto p = *campaign::draw(*replay_, plans_);
  simulation::run_options options = each_;
  if (shrink_ && !simulation::run(p, options).ok) {
    p = campaign::shrink(p, options, campaign::campaign_options{}.shrink_runs).smallest;
  }
  if (!context.wants_json) print_line(simulation::to_text(p));
  if (trace_) {
    options.trace = [](const simulation::trace_line& line) { print_line(campaign::to_text(line)); };
  }
  const auto seen = simulation::run(p, options);
  if (context.wants_json) {
    print_line(json::of({{"seed", *replay_},
                         {"ok", seen.ok},
                         {"violation", seen.violation},
                         {"events", seen.events},
                         {"virtual_ms", seen.virtual_ms},
                         {"blocks", seen.blocks},
                         {"epochs", seen.epochs},
                         {"crashes", seen.crashes},
                         {"recovery_ms", seen.recovery_ms},
                         {"max_held_bytes", seen.max_held_bytes},
                         {"trace_hash", hash_text(seen.trace_hash)}})
                   .text());
  } else {
    print_line("events        " + count_text(seen.events) + " in " +
               decimal_text(static_cast<double>(seen.virtual_ms) / 1000, 1) + " virtual seconds");
    print_line("ledger        " + count_text(seen.blocks) + " blocks, " + count_text(seen.epochs) +
               " epochs closed");
    print_line("trace hash    " + hash_text(seen.trace_hash));
    print_line("violation     " + (seen.ok ? "none" : seen.violation));
  }
  if (seen.ok || plans_.beyond_tolerance) return {};
  return failed("seed " + std::to_string(*replay_), seen.violation);
}

outcome sim_consensus::campaign(const run_context& context) const {
  campaign::campaign_options options;
  options.seeds = range_;
  options.threads = threads_;
  options.plans = plans_;
  options.each = each_;
  options.ends_at_violation = !plans_.beyond_tolerance;
  options.shrinks = !plans_.beyond_tolerance;
  progress_bar bar("simulate", range_.count(), "seeds");
  const auto seen = campaign::run_campaign(options, [&](const campaign::campaign_progress& now) {
    std::string suffix = hours_text(now.virtual_ms) + " virtual hours, " +
                         count_text(now.events / 1'000'000) + " million events";
    if (now.broken != 0) suffix += ", " + count_text(now.broken) + " broken";
    bar.update(now.done, suffix);
    return !stop_requested();
  });
  bar.finish();
  if (context.wants_json) {
    print_json(seen);
  } else {
    print(seen);
  }
  return verdict(seen);
}

void sim_consensus::print(const campaign::campaign_result& seen) const {
  table faults({"fault", "times"});
  for (std::size_t i = 0; i < simulation::fault_kinds; ++i) {
    const auto kind = static_cast<simulation::fault_kind>(i);
    faults.row(
        {std::string(simulation::to_text(kind)), count_text(seen.counts[simulation::began(kind)])});
  }
  faults.print();
  print_line("");
  table kinds({"what happened", "times"});
  for (auto kind = simulation::coverage{}; kind < simulation::coverage::fault_began;
       kind = simulation::next(kind)) {
    kinds.row({std::string(simulation::to_text(kind)), count_text(seen.counts[kind])});
  }
  kinds.print();
  print_line("");
  print_line("runs          " + count_text(seen.runs) + ", " + count_text(seen.broken) +
             (seen.broken == 1 ? " with a violation" : " with violations"));
  for (const auto& [invariant, runs] : seen.broken_by)
    print_line("              " + invariant + ": " + count_text(runs));
  print_line("events        " + count_text(seen.events) + " in " + hours_text(seen.virtual_ms) +
             " virtual hours");
  print_line("ledgers       " + count_text(seen.blocks) + " blocks, " + count_text(seen.epochs) +
             " epochs closed, " + count_text(seen.crashes) + " crashes");
  print_line("recovery      " + count_text(at_share(seen.recovery_ms, 0.5)) +
             " ms in half of them, " + count_text(at_share(seen.recovery_ms, 0.99)) +
             " ms in 99 of 100, at most " + count_text(at_share(seen.recovery_ms, 1)) + " ms");
  print_line("held          at most " + count_text(seen.max_held_bytes) + " bytes by one core");
  print_line("trace hash    " + hash_text(seen.trace_hash));
  if (!seen.found || plans_.beyond_tolerance) return;
  print_line("");
  print_line("seed " + std::to_string(seen.found->seed) + ": " + seen.found->violation);
  print_line("the smallest scenario of " + count_text(seen.found->shrink_runs) +
             " that were tried: " + seen.found->small_run.violation);
  print_text(simulation::to_text(seen.found->small));
}

void sim_consensus::print_json(const campaign::campaign_result& seen) const {
  json counts;
  for (auto kind = simulation::coverage{}; kind < simulation::coverage::fault_began;
       kind = simulation::next(kind)) {
    counts.set(std::string(simulation::to_text(kind)), seen.counts[kind]);
  }
  json faults;
  for (std::size_t i = 0; i < simulation::fault_kinds; ++i) {
    const auto kind = static_cast<simulation::fault_kind>(i);
    faults.set(std::string(simulation::to_text(kind)), seen.counts[simulation::began(kind)]);
  }
  auto out = json::of({{"runs", seen.runs},
                       {"broken", seen.broken},
                       {"events", seen.events},
                       {"virtual_ms", seen.virtual_ms},
                       {"blocks", seen.blocks},
                       {"epochs", seen.epochs},
                       {"crashes", seen.crashes},
                       {"recovery_ms", json::of({{"half", at_share(seen.recovery_ms, 0.5)},
                                                 {"p99", at_share(seen.recovery_ms, 0.99)},
                                                 {"most", at_share(seen.recovery_ms, 1)}})},
                       {"max_held_bytes", seen.max_held_bytes},
                       {"trace_hash", hash_text(seen.trace_hash)},
                       {"faults", std::move(faults)},
                       {"counts", std::move(counts)}});
  if (seen.found) {
    out.set("violation", json::of({{"seed", seen.found->seed},
                                   {"what", seen.found->violation},
                                   {"scenario", simulation::to_text(seen.found->small)}}));
  }
  print_line(out.text());
}

outcome sim_consensus::verdict(const campaign::campaign_result& seen) const {
  if (seen.stopped) return failed("stopped", "after " + count_text(seen.runs) + " seeds");
  if (plans_.beyond_tolerance) {
    if (seen.broken_by.contains("S1")) return {};
    return failed("agreement never broke", "although more power lied than is tolerated",
                  "either the checkers do not see violations, or there were too few seeds");
  }
  if (seen.found) {
    return failed("seed " + std::to_string(seen.found->seed), seen.found->violation,
                  again(seen.found->seed, true));
  }
  const auto never = campaign::never_happened(seen.counts);
  const auto shows_all = plans_.intensity >= 2 && plans_.nodes == 0;
  if (!shows_all || seen.runs < campaign::seeds_for_every_kind || never.empty()) return {};
  std::string names;
  for (const auto kind : never)
    names += (names.empty() ? "" : ", ") + std::string(simulation::to_text(kind));
  return failed("the campaign shows too little", "never happened: " + names);
}

outcome sim_consensus::run(const run_context& context) {
  if (auto fine = read_options(); !fine) return fine;
  std::signal(SIGABRT, tell_seed);
  return replay_ ? replay(context) : campaign(context);
}

}  // namespace

std::unique_ptr<verb> make_sim_consensus() {
  return std::make_unique<sim_consensus>();
}

}  // namespace soma::cli
