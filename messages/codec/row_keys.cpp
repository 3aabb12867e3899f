#include "messages/codec/codec.hpp"
#include "messages/values/assert.hpp"

namespace soma::inline codec {
namespace {

template <class Id>
row_key key_of(ledger_table table, const Id& id) {
  row_key key = table_prefix(table);
  key.insert(key.end(), id.value.begin(), id.value.end());
  return key;
}

constexpr std::uint8_t validator_pool = 1;
constexpr std::uint8_t model_pool = 2;

void put_pool(row_key& key, const pool_owner& pool) {
  key.push_back(std::holds_alternative<model_id>(pool) ? model_pool : validator_pool);
  std::visit([&](const auto& id) { key.insert(key.end(), id.value.begin(), id.value.end()); },
             pool);
}

void put_position(row_key& key, const stake_position& position) {
  put_pool(key, position.pool);
  key.insert(key.end(), position.holder.value.begin(), position.holder.value.end());
}

std::optional<stake_position> position_in(byte_view data) {
  if (data.size() != 65 || (data[0] != validator_pool && data[0] != model_pool)) return {};
  stake_position position;
  if (data[0] == model_pool) {
    position.pool = *model_id::from(data.subspan(1, 32));
  } else {
    position.pool = *address::from(data.subspan(1, 32));
  }
  position.holder = *address::from(data.subspan(33));
  return position;
}

std::optional<agenda_item> agenda_in(byte_view data) {
  if (data.size() < 9) return {};
  agenda_item item;
  for (const auto byte : data.first(8)) item.epoch.value = item.epoch.value << 8 | byte;
  const auto subject = data.subspan(9);
  if (data[8] == 3) {
    const auto position = position_in(subject);
    if (!position) return {};
    item.subject = *position;
    return item;
  }
  if (subject.size() != 32) return {};
  if (data[8] == 1) item.subject = *target_id::from(subject);
  if (data[8] == 2) item.subject = *model_id::from(subject);
  if (data[8] == 4) item.subject = *address::from(subject);
  return data[8] >= 1 && data[8] <= 4 ? std::optional(item) : std::nullopt;
}

std::optional<list_page> list_page_in(byte_view data) {
  if (data.size() != 5 || data[0] < 1 || data[0] > 2) return {};
  list_page page{static_cast<list_kind>(data[0]), 0};
  for (const auto byte : data.subspan(1)) page.number = page.number << 8 | byte;
  return page;
}

void put_number(row_key& key, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    key.push_back(static_cast<std::uint8_t>(number >> shift));
  }
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

row_key known_weights_key(const hash256& named) {
  return key_of(ledger_table::known_weights, named);
}

row_key model_version_key(const model_id& model, std::uint32_t version) {
  row_key key = key_of(ledger_table::model_version, model);
  put_number(key, version);
  return key;
}

row_key model_version_key(const model_version_ref& version) {
  return model_version_key(version.model, version.version);
}

row_key committee_key() {
  return table_prefix(ledger_table::committee);
}
row_key evidence_key(const hash256& shown) {
  return key_of(ledger_table::evidence, shown);
}
row_key consensus_key_key(const public_key& key) {
  return key_of(ledger_table::consensus_key, hash256{key});
}
row_key onion_key(const public_key& key) {
  return key_of(ledger_table::onion, hash256{key});
}
row_key list_key(const list_page& page) {
  row_key key = table_prefix(ledger_table::list);
  key.push_back(static_cast<std::uint8_t>(page.list));
  put_number(key, page.number);
  return key;
}
row_key stake_prefix(const pool_owner& pool) {
  row_key key = table_prefix(ledger_table::stake);
  put_pool(key, pool);
  return key;
}
row_key stake_key(const stake_position& position) {
  row_key key = table_prefix(ledger_table::stake);
  put_position(key, position);
  return key;
}
row_key agenda_prefix(epoch_number epoch) {
  row_key key = table_prefix(ledger_table::agenda);
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<std::uint8_t>(epoch.value >> shift));
  }
  return key;
}
row_key agenda_key(const agenda_item& item) {
  row_key key = agenda_prefix(item.epoch);
  key.push_back(static_cast<std::uint8_t>(item.subject.index() + 1));
  std::visit(
      [&](const auto& subject) {
        if constexpr (requires { subject.holder; }) {
          put_position(key, subject);
        } else {
          key.insert(key.end(), subject.value.begin(), subject.value.end());
        }
      },
      item.subject);
  return key;
}

std::optional<ledger_table> table_of(byte_view key) {
  if (key.empty()) return std::nullopt;
  const auto table = static_cast<ledger_table>(key[0]);
  switch (table) {
    case ledger_table::chain:
    case ledger_table::committee:
      return key.size() == 1 ? std::optional(table) : std::nullopt;
    case ledger_table::stake:
      return position_in(key.subspan(1)) ? std::optional(table) : std::nullopt;
    case ledger_table::agenda:
      return agenda_in(key.subspan(1)) ? std::optional(table) : std::nullopt;
    case ledger_table::list:
      return list_page_in(key.subspan(1)) ? std::optional(table) : std::nullopt;
    case ledger_table::model_version:
      return key.size() == 37 ? std::optional(table) : std::nullopt;
    case ledger_table::account:
    case ledger_table::validator:
    case ledger_table::model:
    case ledger_table::target:
    case ledger_table::submission:
    case ledger_table::used_data:
    case ledger_table::consensus_key:
    case ledger_table::evidence:
    case ledger_table::known_weights:
    case ledger_table::onion:
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

std::optional<stake_position> position_in_key(byte_view key) {
  if (table_of(key) != ledger_table::stake) return std::nullopt;
  return position_in(key.subspan(1));
}

std::optional<agenda_item> agenda_in_key(byte_view key) {
  if (table_of(key) != ledger_table::agenda) return std::nullopt;
  return agenda_in(key.subspan(1));
}

std::optional<list_page> list_page_in_key(byte_view key) {
  if (table_of(key) != ledger_table::list) return std::nullopt;
  return list_page_in(key.subspan(1));
}

}  // namespace soma::inline codec
