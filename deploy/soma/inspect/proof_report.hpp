// What a proof of a row says, for people and as JSON.
#pragma once

#include "deploy/soma/shell/json.hpp"
#include "messages/values/proofs.hpp"

namespace soma::cli {

/// "account", "model_version", …; "row" of a table that this program does not know.
[[nodiscard]] std::string_view table_name(byte_view key);
/// The table of that name.
[[nodiscard]] std::optional<ledger_table> table_named(std::string_view name);
/// Every table's name, in order.
[[nodiscard]] std::vector<std::string> table_names();

/// {"balance_shannons": …} for the rows that people ask for; null for the others, whose bytes must
/// do.
[[nodiscard]] json row_fields(byte_view key, byte_view value);

[[nodiscard]] json proof_json(const proven_row& proven);
/// The same as a table on stdout.
void print_proof(const proven_row& proven);

}  // namespace soma::cli
