#include "messages/types/assert.hpp"
#include "messages/types/codec.hpp"

namespace soma {
namespace {

template <class Id>
row_key key_of(ledger_table table, const Id& id) {
  row_key key = table_prefix(table);
  key.insert(key.end(), id.value.begin(), id.value.end());
  return key;
}

}  // namespace

row_key table_prefix(ledger_table table) {
  return {static_cast<std::uint8_t>(table)};
}
row_key chain_key() {
  return table_prefix(ledger_table::chain);
}
row_key account_key(const address& owner) {
  return key_of(ledger_table::account, owner);
}
row_key validator_key(const address& owner) {
  return key_of(ledger_table::validator, owner);
}
row_key model_key(const model_id& model) {
  return key_of(ledger_table::model, model);
}
row_key target_key(const target_id& target) {
  return key_of(ledger_table::target, target);
}
row_key submission_key(const target_id& target) {
  return key_of(ledger_table::submission, target);
}
row_key used_data_key(const data_hash& data) {
  return key_of(ledger_table::used_data, data);
}

row_key model_version_key(const model_id& model, std::uint32_t version) {
  row_key key = key_of(ledger_table::model_version, model);
  for (int shift = 24; shift >= 0; shift -= 8) {
    key.push_back(static_cast<std::uint8_t>(version >> shift));
  }
  return key;
}

row_key model_version_key(const model_version_ref& version) {
  return model_version_key(version.model, version.version);
}

std::optional<ledger_table> table_of(byte_view key) {
  if (key.empty()) return std::nullopt;
  const auto table = static_cast<ledger_table>(key[0]);
  switch (table) {
    case ledger_table::chain:
      return key.size() == 1 ? std::optional(table) : std::nullopt;
    case ledger_table::model_version:
      return key.size() == 37 ? std::optional(table) : std::nullopt;
    case ledger_table::account:
    case ledger_table::validator:
    case ledger_table::model:
    case ledger_table::target:
    case ledger_table::submission:
    case ledger_table::used_data:
      return key.size() == 33 ? std::optional(table) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<model_version_ref> version_in_key(byte_view key) {
  if (table_of(key) != ledger_table::model_version) return std::nullopt;
  model_version_ref version;
  version.model = *model_id::from(key.subspan(1, 32));
  for (const auto byte : key.subspan(33)) version.version = version.version << 8 | byte;
  return version;
}

}  // namespace soma
