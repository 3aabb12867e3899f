#include "tests/actors/rules/worlds/coverage.hpp"

#include <fstream>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <stdexcept>

#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

// The names stand in the order of event_kind.
constexpr std::array<std::string_view, event_kinds> event_names{
    "transaction_applied", "transaction_refused", "transferred",          "model_committed",
    "model_revealed",      "model_activated",     "model_update_dropped", "model_slashed",
    "model_retired",       "target_opened",       "target_filled",        "data_revealed",
    "target_settled",      "target_slashed",      "target_expired",       "reveal_missed",
    "submitter_paid",      "model_paid",          "bond_returned",        "bond_burned",
    "voter_paid",          "validator_paid",      "epoch_ended",          "model_retiring",
    "stake_added",         "stake_joined",        "stake_returned",       "stake_withdrawn",
    "stake_left",          "stake_paid_out",      "commission_changed",   "validator_joined",
    "validator_leaving",   "validator_seated",    "validator_unseated",   "validator_absent",
    "validator_slashed",   "reporter_paid",       "emission_released",    "fees_changed",
    "difficulty_changed",  "audit_vote_cast",     "audit_extended",       "model_vote_cast",
    "model_not_accepted",  "target_voided",       "emission_returned"};
static_assert(static_cast<std::size_t>(event_kind::emission_returned) + 1 == event_kinds);

constexpr const char* first_lines[] = {"%% the life of a model", "%% the life of a version",
                                       "%% the life of a target"};

std::set<life_step> read_steps() {
  std::ifstream file(SOMA_PROTOCOL_FILE);
  std::set<life_step> steps;
  std::string line;
  for (const auto of : all_lives) {
    const auto before = steps.size();
    file.clear();
    file.seekg(0);
    const std::string wanted = first_lines[static_cast<std::size_t>(of)];
    while (std::getline(file, line) && line.find(wanted) == std::string::npos) {
    }
    while (std::getline(file, line) && !line.starts_with("```")) {
      std::istringstream words(line);
      std::string from, arrow, to;
      words >> from >> arrow >> to;
      if (arrow == "-->") steps.insert({of, from, to});
    }
    if (steps.size() == before) throw std::runtime_error("PROTOCOL.md has no diagram: " + wanted);
  }
  return steps;
}

}  // namespace

const std::set<life_step>& drawn_steps() {
  static const auto steps = read_steps();
  return steps;
}

void taken_steps::take(life of, std::string from, std::string to) {
  const life_step step{of, std::move(from), std::move(to)};
  must(drawn_steps().contains(step), "only steps of the protocol's diagrams happen",
       [&] { return step.from + " to " + step.to; });
  taken_.insert(step);
}

void coverage::count(const rules::effects& done) {
  ++blocks;
  if (done.epoch_closed) ++epochs;
  transactions += done.outcomes.size();
  for (const auto& e : done.events) ++events[static_cast<std::size_t>(e.kind)];
  for (const auto& outcome : done.outcomes) {
    if (outcome.reason) {
      ++refusals[*outcome.reason];
    } else {
      ++applied;
    }
  }
}

void coverage::add(const coverage& other) {
  transactions += other.transactions;
  applied += other.applied;
  blocks += other.blocks;
  epochs += other.epochs;
  worlds += other.worlds;
  twins += other.twins;
  samples += other.samples;
  dropped += other.dropped;
  for (std::size_t i = 0; i < event_kinds; ++i) events[i] += other.events[i];
  for (const auto& [reason, times] : other.refusals) refusals[reason] += times;
  steps.insert(other.steps.begin(), other.steps.end());
}

std::string_view name_of(event_kind kind) {
  return event_names[static_cast<std::size_t>(kind)];
}

const std::map<rules::refusal, std::string_view>& out_of_reach() {
  static const std::map<rules::refusal, std::string_view> known{
      {rules::refusal::too_large, "no block that passes check_block holds such a transaction"},
      {rules::refusal::votes_full, "takes a thousand members that come and go"},
      {rules::refusal::target_of_other_epoch, "open targets expire with their epoch"},
  };
  return known;
}

std::ostream& operator<<(std::ostream& out, const coverage& seen) {
  out << seen.worlds << " worlds, " << seen.epochs << " epochs, " << seen.blocks << " blocks, "
      << seen.transactions << " transactions (" << seen.applied << " applied), " << seen.twins
      << " blocks executed twice, " << seen.dropped << " refused transactions left out, "
      << seen.samples << " submissions decided by a sample\n";
  out << "events:\n";
  for (std::size_t i = 0; i < event_kinds; ++i)
    out << std::setw(14) << seen.events[i] << "  " << event_names[i] << '\n';
  out << "refusals:\n";
  for (const auto reason : rules::all_refusals) {
    const auto found = seen.refusals.find(reason);
    const auto unreachable = out_of_reach().find(reason);
    out << std::setw(14) << (found != seen.refusals.end() ? found->second : 0) << "  "
        << rules::name_of(reason);
    if (unreachable != out_of_reach().end()) out << " (" << unreachable->second << ')';
    out << '\n';
  }
  return out;
}

}  // namespace soma::test
