#include <algorithm>
#include <thread>

#include "deploy/soma/bench/bench.hpp"
#include "deploy/soma/bench/forced_isa.hpp"
#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/resources.hpp"

namespace soma::cli {
namespace {

constexpr std::uint32_t max_threads = 256;

std::string rate_text(const bench_row& row, double seconds) {
  const double rate = row.work / seconds;
  return decimal_text(rate, rate < 10 ? 2 : rate < 100 ? 1 : 0) + " " + row.unit_of_work + "/s";
}

std::string short_time(double seconds) {
  return seconds < 1e-3  ? decimal_text(seconds * 1e6, 0) + " µs"
         : seconds < 1.0 ? decimal_text(seconds * 1e3, seconds < 0.1 ? 2 : 0) + " ms"
                         : decimal_text(seconds, 2) + " s";
}

void print_table(const std::vector<bench_row>& rows) {
  table out({"set", "measured", "ours", "rate", "held against", "peer", "rate", "peer / ours"});
  for (const auto& row : rows) {
    out.row({row.isa, row.compared, short_time(row.ours_seconds), rate_text(row, row.ours_seconds),
             row.peer, short_time(row.peer_seconds), rate_text(row, row.peer_seconds),
             decimal_text(row.peer_seconds / row.ours_seconds, 2)});
  }
  out.print();
}

void print_json(std::string_view verb_name, const bench_options& options,
                const std::vector<bench_row>& rows) {
  auto list = json::list();
  for (const auto& row : rows) {
    list.push(json::of({{"isa", row.isa},
                        {"what", row.compared},
                        {"peer", row.peer},
                        {"ours_seconds", row.ours_seconds},
                        {"peer_seconds", row.peer_seconds},
                        {"ratio", row.peer_seconds / row.ours_seconds},
                        {"unit_of_work", row.unit_of_work},
                        {"work", row.work},
                        {"ours_rate", row.work / row.ours_seconds},
                        {"peer_rate", row.work / row.peer_seconds}}));
  }
  print_line(json::of({{"bench", verb_name},
                       {"isa", rows.empty() ? std::string() : rows.back().isa},
                       {"threads", options.threads},
                       {"seed", options.seed},
                       {"rows", std::move(list)}})
                 .text());
}

}  // namespace

void bench_verb::declare(option_set& options) {
  options_.threads = std::clamp(std::thread::hardware_concurrency(), 1u, max_threads);
  options.add("threads", options_.threads, "number of threads, for our code and for the peer");
  options.add("seconds", options_.seconds, "about how many seconds the whole measurement takes");
  options.add("seed", options_.seed, "seed of the inputs");
  declare_more(options);
}

void bench_verb::declare_arch(option_set& options) {
  options.add("arch", options_.arch, architecture_help).shown_as("ARCH");
}

void bench_verb::declare_isa(option_set& options) {
  options
      .add("isa", options_.isa,
           "instruction sets to measure, with commas between, or all that this processor can run; "
           "the peer is held to the same set")
      .shown_as("SET[,SET]");
}

/// Several sets are measured one after the other, each in a process of its own, because the
/// libraries of the peers choose their set once, when they are loaded.
expected<std::vector<bench_row>, failure> bench_verb::measure_all() {
  const auto sets = sets_named(options_.isa);
  if (!sets) return make_unexpected(sets.error());
  std::vector<bench_row> rows;
  for (const auto set : *sets) {
    auto some = sets->size() == 1 ? measure_with(set, [this] { return measure(); })
                                  : measure_in_child(set, [this] { return measure(); });
    if (!some) return some;
    for (auto& row : *some) {
      row.isa = to_text(set);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

outcome bench_verb::run(const run_context& context) {
  if (options_.threads < 1 || options_.threads > max_threads) {
    return wrong_usage("--threads", std::to_string(options_.threads) + " is not between 1 and 256",
                       "leave it out for every core");
  }
  if (!(options_.seconds > 0 && options_.seconds <= 3600)) {
    return wrong_usage("--seconds", "it is not above 0 and at most 3600", "try 10");
  }
  const auto rows = measure_all();
  if (!rows) return make_unexpected(rows.error());
  if (context.wants_json) {
    print_json(name(), options_, *rows);
  } else {
    print_table(*rows);
  }
  return {};
}

}  // namespace soma::cli
