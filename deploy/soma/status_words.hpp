// The statuses and verdicts of the ledger as words, the same in tables and in JSON.
#pragma once

#include <string_view>

#include "messages/types/ledger_rows.hpp"

namespace soma {

[[nodiscard]] std::string_view word_of(model_status status);
[[nodiscard]] std::string_view word_of(version_status status);
[[nodiscard]] std::string_view word_of(target_status status);
[[nodiscard]] std::string_view word_of(model_verdict verdict);
[[nodiscard]] std::string_view word_of(audit_verdict verdict);

}  // namespace soma
