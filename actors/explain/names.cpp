#include "actors/explain/names.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "messages/values/assert.hpp"

namespace soma::explain {
namespace {

struct kind_entry {
  std::string_view name;
  std::string_view section;
};

// The names stand in the order of event_kind.
constexpr std::array kind_entries{
    kind_entry{"transaction_applied", "2"},  kind_entry{"transaction_refused", "1"},
    kind_entry{"transferred", "2"},          kind_entry{"model_committed", "6"},
    kind_entry{"model_revealed", "6"},       kind_entry{"model_activated", "6"},
    kind_entry{"model_update_dropped", "6"}, kind_entry{"model_slashed", "6"},
    kind_entry{"model_retired", "6"},        kind_entry{"target_opened", "7"},
    kind_entry{"target_filled", "8.1"},      kind_entry{"data_revealed", "8.2"},
    kind_entry{"target_settled", "8.4"},     kind_entry{"target_slashed", "8.4"},
    kind_entry{"target_expired", "9"},       kind_entry{"reveal_missed", "8.2"},
    kind_entry{"submitter_paid", "8.4"},     kind_entry{"model_paid", "8.4"},
    kind_entry{"bond_returned", "8.4"},      kind_entry{"bond_burned", "8.4"},
    kind_entry{"voter_paid", "8.4"},         kind_entry{"validator_paid", "5"},
    kind_entry{"epoch_ended", "9"},          kind_entry{"model_retiring", "6"},
    kind_entry{"stake_added", "4"},          kind_entry{"stake_joined", "4"},
    kind_entry{"stake_returned", "4"},       kind_entry{"stake_withdrawn", "4"},
    kind_entry{"stake_left", "4"},           kind_entry{"stake_paid_out", "4"},
    kind_entry{"commission_changed", "4"},   kind_entry{"validator_joined", "5"},
    kind_entry{"validator_leaving", "5"},    kind_entry{"validator_seated", "5"},
    kind_entry{"validator_unseated", "5"},   kind_entry{"validator_absent", "5"},
    kind_entry{"validator_slashed", "5"},    kind_entry{"reporter_paid", "5"},
    kind_entry{"emission_released", "3"},    kind_entry{"fees_changed", "2"},
    kind_entry{"difficulty_changed", "7"},   kind_entry{"audit_vote_cast", "8.3"},
    kind_entry{"audit_extended", "8.4"},     kind_entry{"model_vote_cast", "6"},
    kind_entry{"model_not_accepted", "6"},   kind_entry{"target_voided", "8.4"},
    kind_entry{"emission_returned", "3"},
};
static_assert(kind_entries.size() == static_cast<std::size_t>(event_kind::emission_returned) + 1);

template <std::size_t N, class Enum>
std::string_view entry(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  SOMA_ASSERT(index < N, "the value is one of its enumeration");
  return names[index];
}

const kind_entry& entry_of(event_kind kind) {
  const auto index = static_cast<std::size_t>(kind);
  SOMA_ASSERT(index < kind_entries.size(), "the value is one of its enumeration");
  return kind_entries[index];
}

}  // namespace

std::string_view name_of(event_kind kind) {
  return entry_of(kind).name;
}
std::string_view section_of(event_kind kind) {
  return entry_of(kind).section;
}

std::optional<event_kind> event_kind_named(std::string_view name) {
  const auto* const found = std::ranges::find(kind_entries, name, &kind_entry::name);
  if (found == kind_entries.end()) return std::nullopt;
  return static_cast<event_kind>(found - kind_entries.begin());
}

std::string_view name_of(target_status status) {
  static constexpr std::array<std::string_view, 7> names{
      "open", "filled", "revealed", "settled", "slashed", "expired", "void"};
  return entry(names, status);
}

std::string_view name_of(model_status status) {
  static constexpr std::array<std::string_view, 3> names{"committed", "active", "inactive"};
  return entry(names, status);
}

std::string_view name_of(version_status status) {
  static constexpr std::array<std::string_view, 6> names{"committed",  "revealed", "active",
                                                         "superseded", "dropped",  "bad"};
  return entry(names, status);
}

std::string_view name_of(audit_verdict verdict) {
  static constexpr std::array<std::string_view, 6> names{
      "ok", "unavailable", "wrong size", "wrong winner", "wrong loss", "wrong distance"};
  return entry(names, verdict);
}

std::string_view name_of(model_verdict verdict) {
  static constexpr std::array<std::string_view, 5> names{"good", "wrong hash", "malformed",
                                                         "wrong architecture", "not finite"};
  return entry(names, verdict);
}

std::string_view name_of(void_reason reason) {
  static constexpr std::array<std::string_view, 3> names{"undecided", "unavailable", "data in use"};
  return entry(names, reason);
}

std::string_view name_of(const transaction_kind& kind) {
  static constexpr std::array<std::string_view, 15> names{"transfer",      "model commit",
                                                          "model reveal",  "model retirement",
                                                          "model verdict", "claim",
                                                          "data reveal",   "audit vote",
                                                          "deposit",       "withdrawal",
                                                          "commission",    "join",
                                                          "leave",         "equivocation report",
                                                          "hash onion"};
  static_assert(names.size() == std::variant_size_v<transaction_kind>);
  return entry(names, kind.index());
}

std::string_view section_of_refusal(std::uint16_t number) {
  static constexpr std::array<std::pair<std::uint16_t, std::string_view>, 9> from{{{1, "1"},
                                                                                   {20, "2"},
                                                                                   {40, "6"},
                                                                                   {80, "8.1"},
                                                                                   {100, "8.2"},
                                                                                   {120, "8.3"},
                                                                                   {140, "4"},
                                                                                   {160, "5"},
                                                                                   {200, "7.1.1"}}};
  std::string_view section;
  for (const auto& [first, name] : from) {
    if (number >= first) section = name;
  }
  return section;
}

}  // namespace soma::explain
