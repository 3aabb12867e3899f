#include "deploy/soma/bench_gateway/gateway_figures.hpp"

#include <algorithm>

#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"

namespace soma::cli {
namespace {

// The system counts the time of a processor in steps.
constexpr double least_cpu_seconds = 0.01;

json side_json(const served_figures& one) {
  return json::of({{"per_s", one.per_s()},
                   {"median_ms", one.percentile_ms(0.5)},
                   {"p99_ms", one.percentile_ms(0.99)},
                   {"count", one.good},
                   {"refused", one.refused},
                   {"bytes", one.bytes},
                   {"cpu_seconds", one.server_cpu_seconds},
                   {"per_cpu_s", one.per_cpu_s()},
                   {"client_share", one.client_share()}});
}

std::string rate_text(double value) {
  return decimal_text(value, value < 100 ? 1 : 0);
}

void add_line(table& out, const gateway_comparison& one, bool is_ours) {
  const auto& it = is_ours ? one.ours : *one.peer;
  const bool has_ratio = is_ours && one.peer;
  out.row({is_ours ? one.text : "", is_ours ? count_text(it.bytes) : "",
           is_ours ? "gateway" : "nginx", rate_text(it.per_s()),
           decimal_text(it.percentile_ms(0.5), 2) + " ms",
           decimal_text(it.percentile_ms(0.99), 2) + " ms", rate_text(it.per_cpu_s()),
           decimal_text(100 * it.client_share(), 0) + " %",
           has_ratio ? decimal_text(one.ratio(), 2) : "",
           has_ratio ? decimal_text(one.cpu_ratio(), 2) : ""});
}

}  // namespace

void served_figures::add(const load_figures& more, double cpu_seconds) {
  good += more.good;
  refused += more.refused;
  if (more.refused > 0) refusal = more.refusal;
  seconds += more.seconds;
  server_cpu_seconds += cpu_seconds;
  client_cpu_seconds += more.client_cpu_seconds;
  bytes = std::max(bytes, more.body_bytes);
  ms.insert(ms.end(), more.good_ms.begin(), more.good_ms.end());
}

double served_figures::per_s() const {
  return seconds > 0 ? static_cast<double>(good) / seconds : 0;
}

double served_figures::per_cpu_s() const {
  return static_cast<double>(good) / std::max(server_cpu_seconds, least_cpu_seconds);
}

double served_figures::client_share() const {
  return seconds > 0 ? client_cpu_seconds / seconds : 0;
}

double served_figures::percentile_ms(double part) const {
  if (ms.empty()) return 0;
  auto sorted = ms;
  std::ranges::sort(sorted);
  const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
  return sorted[std::min(at, sorted.size() - 1)];
}

json figures_json(const std::vector<gateway_comparison>& all) {
  auto rows = json::list();
  for (const auto& one : all) {
    auto row = json::of({{"what", one.name}, {"ours", side_json(one.ours)}});
    if (one.peer) {
      row.set("nginx", side_json(*one.peer));
      row.set("ratio", one.ratio());
      row.set("ratio_per_cpu", one.cpu_ratio());
    }
    rows.push(std::move(row));
  }
  return rows;
}

void print_figures(const std::vector<gateway_comparison>& all) {
  table out({"measured", "bytes", "server", "a second", "median", "99th", "per processor second",
             "client busy", "ours / nginx", "per processor"});
  for (const auto& one : all) {
    add_line(out, one, true);
    if (one.peer) add_line(out, one, false);
  }
  out.print();
  for (const auto& one : all) {
    if (one.ours.refused == 0) continue;
    note_line(one.text + ": " + count_text(one.ours.refused) +
              " more were refused, the last with status " + std::to_string(one.ours.refusal));
  }
}

}  // namespace soma::cli
