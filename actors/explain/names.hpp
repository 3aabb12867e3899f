// Stable names of what the ledger knows by number, and the section of the protocol that rules it.
#pragma once

#include <string_view>

#include "messages/types/blocks.hpp"
#include "messages/types/ledger_rows.hpp"

namespace soma::explain {

[[nodiscard]] std::string_view name_of(event_kind kind);
[[nodiscard]] std::string_view name_of(target_status status);
[[nodiscard]] std::string_view name_of(model_status status);
[[nodiscard]] std::string_view name_of(version_status status);
[[nodiscard]] std::string_view name_of(audit_verdict verdict);
[[nodiscard]] std::string_view name_of(model_verdict verdict);
/// What a transaction asks for, as a noun: "claim".
[[nodiscard]] std::string_view name_of(const transaction_kind& kind);

/// "8.4"; empty where the protocol has no section for it.
[[nodiscard]] std::string_view section_of(event_kind kind);
/// Of a rules::refusal, by its number.
[[nodiscard]] std::string_view section_of_refusal(std::uint16_t number);

}  // namespace soma::explain
