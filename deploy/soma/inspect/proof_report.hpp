// What a proof of a row says, for people and as JSON.
#pragma once

#include "deploy/soma/shell/json.hpp"
#include "messages/values/proofs.hpp"

namespace soma::cli {

/// The name of the table that the key belongs to: "account", "model_version", …, or "row" if this
/// program does not know the table.
[[nodiscard]] std::string_view table_name(byte_view key);
/// The table of that name; nullopt if there is none.
[[nodiscard]] std::optional<ledger_table> table_named(std::string_view name);
/// Every table's name, in order.
[[nodiscard]] std::vector<std::string> table_names();

/// The fields of a row, such as {"balance_shannons": …}, for the tables that people ask for. Null
/// for all other tables, whose rows are shown as bytes.
[[nodiscard]] json row_fields(byte_view key, byte_view value);

[[nodiscard]] json proof_json(const proven_row& proven);
/// Prints the same facts as a table to stdout.
void print_proof(const proven_row& proven);

}  // namespace soma::cli
