// Plans, faults and kinds of coverage as text for people.
#include "actors/simulation/coverage.hpp"
#include "actors/simulation/fault_plan.hpp"

namespace soma::simulation {
namespace {

std::string links_text(const link_rates& l) {
  return "delay " + std::to_string(l.delay_min_us) + ".." + std::to_string(l.delay_max_us) +
         " us, loss " + std::to_string(l.loss_permille) + ", double " +
         std::to_string(l.duplicate_permille) + ", stragglers " +
         std::to_string(l.straggler_permille) + " to " + std::to_string(l.straggler_max_us) + " us";
}

}  // namespace

std::string nodes_text(node_set set) {
  std::string text = "{";
  for (std::uint32_t i = 0; i < max_nodes; ++i) {
    if ((set >> i & 1) != 0) text += (text.size() > 1 ? " " : "") + std::to_string(i);
  }
  return text + "}";
}

std::string_view to_text(behaviour which) {
  switch (which) {
    case behaviour::equivocate:
      return "equivocate";
    case behaviour::vote_for_all:
      return "vote_for_all";
    case behaviour::withhold:
      return "withhold";
    case behaviour::forge:
      return "forge";
    case behaviour::replay:
      return "replay";
    case behaviour::false_answers:
      return "false_answers";
    case behaviour::far_votes:
      return "far_votes";
    case behaviour::silent:
      return "silent";
    case behaviour::twin:
      return "twin";
  }
  return "unknown";
}

std::string_view to_text(fault_kind kind) {
  static constexpr std::array<std::string_view, fault_kinds> names{
      "cut",          "partition",       "leader_apart", "ring",
      "flapping",     "slow_messages",   "disconnect",   "clock_jump",
      "clock_frozen", "disk_full",       "disk_slow",    "crash",
      "lose_record",  "lose_everything", "bad_executor", "stuck_executor",
      "lose_ledger"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view to_text(coverage kind) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(coverage::fault_began)>
      names{"delivered",
            "lost",
            "duplicated",
            "straggled",
            "cut_off",
            "class_delayed",
            "disconnected",
            "writes",
            "crashed_before_durable",
            "crashed_before_answer",
            "crashed_in_commit",
            "crashed_by_plan",
            "write_failed",
            "disk_healed",
            "record_lost",
            "ledger_lost",
            "restarted",
            "late_start",
            "executions",
            "execution_failed",
            "executor_lied",
            "clock_jumped",
            "clock_frozen",
            "equivocations",
            "equivocated_on_odd_parent",
            "votes_for_all",
            "withheld",
            "forged",
            "replayed",
            "false_answers",
            "far_votes",
            "silenced",
            "twin_messages",
            "evidence",
            "slashed",
            "blamed",
            "alarms",
            "committee_changes",
            "keys_rotated",
            "epochs_closed",
            "views_skipped",
            "fenced_starts"};
  const auto index = static_cast<std::size_t>(kind);
  return index < names.size() ? names[index]
                              : to_text(static_cast<fault_kind>(index - names.size()));
}

std::string to_text(const fault& f) {
  std::string text = std::string(to_text(f.kind)) + " " + nodes_text(f.nodes);
  if (f.others != 0) text += " to " + nodes_text(f.others);
  if (f.amount != 0) text += " amount " + std::to_string(static_cast<std::int64_t>(f.amount));
  return text;
}

std::string to_text(const fault_plan& p) {
  std::string text = "seed " + std::to_string(p.seed) + ", heals at " + std::to_string(p.heal_ms) +
                     " ms, epochs of " + std::to_string(p.epoch_ms) + " ms, blocks every " +
                     std::to_string(p.options.block_interval_ms) + " ms\n";
  text += "before: " + links_text(p.before) + "\nafter: " + links_text(p.after) + "\n";
  const auto& l = p.local;
  text += "disk to " + std::to_string(l.disk_max_us) + " us, execution to " +
          std::to_string(l.execution_max_us) +
          " us, crashes per 1000: " + std::to_string(l.crash_before_durable_permille) +
          " before durable, " + std::to_string(l.crash_before_answer_permille) +
          " before the answer, " + std::to_string(l.crash_in_commit_permille) +
          " in a commit; executions fail " + std::to_string(l.execution_fails_permille) + "\n";
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    const auto& s = p.nodes[i];
    text += "node " + std::to_string(i) + ": identity " + std::to_string(s.identity);
    for (std::uint32_t b = 0; b < behaviour_kinds; ++b) {
      if ((s.behaviours >> b & 1) == 0) continue;
      text += " " + std::string(to_text(static_cast<behaviour>(std::uint32_t{1} << b)));
    }
    if (s.start_ms != 0) text += ", starts at " + std::to_string(s.start_ms);
    if (s.clock_offset_ms != 0) text += ", clock " + std::to_string(s.clock_offset_ms);
    text += "\n";
  }
  for (std::size_t e = 0; e < p.committees.size(); ++e) {
    text += "epoch " + std::to_string(e) + ":";
    for (const auto& seat : p.committees[e]) {
      text += " " + std::to_string(seat.identity) + "/" + std::to_string(seat.key_version) + "=" +
              std::to_string(seat.power);
    }
    text += "\n";
  }
  for (const auto& f : p.faults) {
    text += std::to_string(f.at_ms) + ".." + std::to_string(f.until_ms) + " " + to_text(f) + "\n";
  }
  return text;
}

}  // namespace soma::simulation
