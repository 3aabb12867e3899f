// How often each kind of event happened in a run. A campaign fails when a kind that it is meant to
// test never happened.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "actors/simulation/fault_plan.hpp"

namespace soma::simulation {

enum class coverage : std::uint8_t {
  // links
  delivered,
  lost,
  duplicated,
  straggled,
  cut_off,        // lost by a cut, a partition, a ring or a flapping link
  class_delayed,  // by slow_messages
  disconnected,
  // disks and ledgers
  writes,
  crashed_before_durable,
  crashed_before_answer,
  crashed_in_commit,
  crashed_by_plan,
  write_failed,
  disk_healed,
  record_lost,
  ledger_lost,
  restarted,
  late_start,
  // execution and clocks
  executions,
  execution_failed,
  executor_lied,
  clock_jumped,
  clock_frozen,
  // adversaries
  equivocations,
  equivocated_on_odd_parent,
  votes_for_all,
  withheld,
  forged,
  replayed,
  false_answers,
  far_votes,
  silenced,
  twin_messages,
  // consequences
  evidence,
  slashed,
  blamed,
  alarms,
  committee_changes,
  keys_rotated,
  epochs_closed,
  views_skipped,
  fenced_starts,
  // Faults of the plan that began. From here on there is one number for each kind of fault.
  fault_began,
};
inline constexpr std::size_t counted_kinds =
    static_cast<std::size_t>(coverage::fault_began) + fault_kinds;
[[nodiscard]] constexpr coverage began(fault_kind kind) {
  return static_cast<coverage>(static_cast<std::size_t>(coverage::fault_began) +
                               static_cast<std::size_t>(kind));
}
[[nodiscard]] constexpr coverage next(coverage kind) {
  return static_cast<coverage>(static_cast<std::size_t>(kind) + 1);
}
[[nodiscard]] std::string_view to_text(coverage kind);

struct run_counts {
  std::array<std::uint64_t, counted_kinds> of{};

  std::uint64_t& operator[](coverage kind) { return of[static_cast<std::size_t>(kind)]; }
  std::uint64_t operator[](coverage kind) const { return of[static_cast<std::size_t>(kind)]; }
  run_counts& operator+=(const run_counts& other) {
    for (std::size_t i = 0; i < of.size(); ++i) of[i] += other.of[i];
    return *this;
  }
  friend bool operator==(const run_counts&, const run_counts&) = default;
};

}  // namespace soma::simulation
