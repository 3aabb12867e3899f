// What the verbs `soma bench …` share. A benchmark measures our code and a peer (another program or
// library that does the same work) in turn in one run, takes the median time of each, and prints
// their ratio. The ratio of two figures from one run on one machine says more than either figure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/soma/shell/verb.hpp"
#include "messages/values/architecture.hpp"

namespace soma::cli {

/// One comparison: both sides did the same amount of `work`, each in its own time.
struct bench_row {
  std::string compared;  // what was measured, for the printed table
  double ours_seconds = 0;
  double peer_seconds = 0;
  std::string peer;          // the name of the peer that our code is compared with
  std::string unit_of_work;  // "GFLOP", "GB" or "kB"; rates are printed in this unit per second
  double work = 0;           // in unit_of_work
  std::string isa = {};      // the instruction set of both sides; bench_verb::run sets it
};

struct bench_options {
  /// The network that is measured, as text; architecture_of converts it. Only the benchmarks that
  /// call declare_arch() read it.
  std::string arch = "small";
  /// declare() sets it to the number of cores, at most 256. It is never 0 in measure().
  std::uint32_t threads = 0;
  /// The time of the whole run, which the rows share.
  double seconds = 10;
  std::uint64_t seed = 0;
  /// The instruction sets to measure: names with commas between, "all", or nothing for the one that
  /// the program would choose. Only the benchmarks that call declare_isa() read it.
  std::string isa;
};

/// How long one call takes.
[[nodiscard]] double seconds_of(const std::function<void()>& work);

/// The median times of one call of each side.
struct raced {
  double ours_seconds = 0;
  double peer_seconds = 0;
};

/// Runs both sides once unmeasured, then in turn (ours, peer, peer, ours, …) until `seconds` have
/// passed, and each at least three times. Returns the median time of one call of each. Throws
/// `stopped` between two calls once a stop was asked for.
[[nodiscard]] raced race(const std::function<void()>& ours, const std::function<void()>& peer,
                         double seconds);

/// Does the same as race() for any number of rivals. Returns the median seconds of each, in the
/// order of `rivals`.
[[nodiscard]] std::vector<double> race_all(const std::vector<std::function<void()>>& rivals,
                                           double seconds);

/// A benchmark as a verb: it declares the shared options and its own, measures, and prints a table
/// or, with --json, one document.
class bench_verb : public verb {
 public:
  void declare(option_set& options) final;
  outcome run(const run_context& context) final;

 protected:
  /// Declares the options of one benchmark, if it has any of its own.
  virtual void declare_more(option_set&) {}
  /// Declares --arch, for the benchmarks that measure a network.
  void declare_arch(option_set& options);
  /// Declares --isa, for the benchmarks whose speed depends on the instruction set.
  void declare_isa(option_set& options);
  [[nodiscard]] virtual expected<std::vector<bench_row>, failure> measure() = 0;

  bench_options options_;

 private:
  [[nodiscard]] expected<std::vector<bench_row>, failure> measure_all();
};

}  // namespace soma::cli
