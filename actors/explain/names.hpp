// Stable names for kinds, states and verdicts that the ledger stores as numbers, and the sections
// of the protocol that rule them.
#pragma once

#include <optional>
#include <string_view>

#include "messages/values/blocks.hpp"
#include "messages/values/rows.hpp"

namespace soma::explain {

[[nodiscard]] std::string_view name_of(event_kind kind);
/// The kind of that name; nullopt if there is none.
[[nodiscard]] std::optional<event_kind> event_kind_named(std::string_view name);
[[nodiscard]] std::string_view name_of(target_status status);
[[nodiscard]] std::string_view name_of(model_status status);
[[nodiscard]] std::string_view name_of(version_status status);
[[nodiscard]] std::string_view name_of(audit_verdict verdict);
[[nodiscard]] std::string_view name_of(model_verdict verdict);
[[nodiscard]] std::string_view name_of(void_reason reason);
/// The kind of a transaction as a noun, for example "claim".
[[nodiscard]] std::string_view name_of(const transaction_kind& kind);

/// The section of the protocol that rules this kind of event, for example "8.4".
[[nodiscard]] std::string_view section_of(event_kind kind);
/// The section that a rules::refusal with this number belongs to.
[[nodiscard]] std::string_view section_of_refusal(std::uint16_t number);

}  // namespace soma::explain
