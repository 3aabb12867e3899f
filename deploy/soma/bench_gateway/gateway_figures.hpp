// What `soma bench gateway` has measured, and how it is shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deploy/soma/bench_gateway/load_client.hpp"
#include "deploy/soma/shell/json.hpp"

namespace soma::cli {

/// What one server did in all its turns together.
struct served_figures {
  std::uint64_t good = 0, refused = 0;
  unsigned refusal = 0;  // the status of the last refusal
  double seconds = 0, server_cpu_seconds = 0, client_cpu_seconds = 0;
  std::uint64_t bytes = 0;  // of one answer
  std::vector<double> ms;   // of each answer

  void add(const load_figures& more, double cpu_seconds);
  [[nodiscard]] double per_s() const;
  [[nodiscard]] double per_cpu_s() const;
  /// The share of a processor that the client was busy.
  [[nodiscard]] double client_share() const;
  [[nodiscard]] double percentile_ms(double part) const;
};

struct gateway_comparison {
  std::string_view name;  // for programs
  std::string text;       // for people
  served_figures ours;
  std::optional<served_figures> peer;

  [[nodiscard]] double ratio() const { return ours.per_s() / peer->per_s(); }
  [[nodiscard]] double cpu_ratio() const { return ours.per_cpu_s() / peer->per_cpu_s(); }
};

[[nodiscard]] json figures_json(const std::vector<gateway_comparison>& all);
void print_figures(const std::vector<gateway_comparison>& all);

}  // namespace soma::cli
