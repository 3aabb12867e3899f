// What the verbs `soma bench …` share: ours and a peer measured in turn in one run, medians, and
// their ratio. A ratio of two figures from one run on one machine is worth more than either figure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/soma/shell/verb.hpp"
#include "messages/values/architecture.hpp"

namespace soma::cli {

/// One comparison. Both sides do the same `work`, counted in `unit_of_work`, in these many seconds.
struct bench_row {
  std::string compared;
  double ours_seconds = 0;
  double peer_seconds = 0;
  std::string peer;          // what ours is held against
  std::string unit_of_work;  // "GFLOP", "GB", "kB": rates are printed per second
  double work = 0;
};

struct bench_options {
  std::string arch = "small";  // read by those that measure a network; architecture_of converts it
  std::uint32_t threads = 0;   // never 0 in measure(): the default is every core
  double seconds = 10;         // of the whole run, shared by the rows
  std::uint64_t seed = 0;
};

struct raced {
  double ours_seconds = 0;
  double peer_seconds = 0;
};

/// Runs both once unmeasured, then in turn (ours, peer, peer, ours, …) until `seconds` have passed,
/// three times each at least; the medians of one call.
[[nodiscard]] raced race(const std::function<void()>& ours, const std::function<void()>& peer,
                         double seconds);

/// The same for any number of rivals: the median of each, in their order.
[[nodiscard]] std::vector<double> race_all(const std::vector<std::function<void()>>& rivals,
                                           double seconds);

/// A benchmark as a verb: declares the shared options and its own, measures, prints a table or,
/// with
/// --json, one document.
class bench_verb : public verb {
 public:
  void declare(option_set& options) final;
  outcome run(const run_context& context) final;

 protected:
  virtual void declare_more(option_set&) {}
  /// For those that measure a network: --arch.
  void declare_arch(option_set& options);
  [[nodiscard]] virtual expected<std::vector<bench_row>, failure> measure() = 0;

  bench_options options_;
};

}  // namespace soma::cli
