// Rows of the ledger and their proofs as JSON documents, which verbs print with --json and which a
// gateway answers with. The names of members are stable: programs read them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/json/json.hpp"
#include "messages/values/proofs.hpp"

namespace soma::documents {

using json::value;

/// The name of the table that the key belongs to: "account", "model_version", …, or "row" if this
/// program does not know the table.
[[nodiscard]] std::string_view table_name(byte_view key);
/// The table of that name; nullopt if there is none.
[[nodiscard]] std::optional<ledger_table> table_named(std::string_view name);
/// Every table's name, in order.
[[nodiscard]] std::vector<std::string> table_names();

/// The fields of a row, such as {"balance_shannons": …}, for the tables that people ask for. Null
/// for all other tables, whose rows are shown as bytes.
[[nodiscard]] value row_fields(byte_view key, byte_view row_value);

/// All that a proof says: the header's facts, the row, and the hashes that lead to the state root.
[[nodiscard]] value proof_json(const proven_row& proven);

}  // namespace soma::documents
