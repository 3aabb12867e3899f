#include "tests/actors/rules/worlds/mirror.hpp"

#include <algorithm>

#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

std::string_view text(byte_view key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}
byte_view raw_bytes(const std::string& key) {
  return {reinterpret_cast<const std::uint8_t*>(key.data()), key.size()};
}

}  // namespace

std::optional<bytes> mirror::find(const row_key& key) const {
  const auto& table = raw_.at(key.at(0));
  const auto found = table.find(text(key));
  if (found == table.end()) return std::nullopt;
  return found->second;
}

void mirror::scan(byte_view prefix, const std::function<void(byte_view, byte_view)>& visit) const {
  const auto& table = raw_.at(prefix[0]);
  const auto from = text(prefix);
  const auto first = table.lower_bound(from);
  auto last = first;
  while (last != table.end() && last->first.starts_with(from)) ++last;
  const auto call = [&](const auto& row) { visit(raw_bytes(row.first), row.second); };
  if (backwards) {
    for (auto i = last; i != first;) call(*--i);
  } else {
    for (auto i = first; i != last; ++i) call(*i);
  }
}

template <class Row>
void mirror::take(mirror_table<Row>& table, const typename ledger::row_traits<Row>::key_type& key,
                  const row_change& change, bool check_bytes) {
  const auto found = table.rows.find(key);
  std::optional<Row> before;
  if (found != table.rows.end()) before = std::move(found->second);
  if (!change.value) {
    if (found != table.rows.end()) table.rows.erase(found);
    table.changed.push_back({key, std::move(before), nullptr});
    return;
  }
  auto row = decode<Row>(*change.value);
  must(row.has_value(), "a row that was written can be read");
  if (check_bytes) must(encode(*row) == *change.value, "a row is the bytes of its value");
  Row* now = nullptr;
  if (found != table.rows.end()) {
    found->second = std::move(*row);
    now = &found->second;
  } else {
    now = &table.rows.emplace(key, std::move(*row)).first->second;
  }
  table.changed.push_back({key, std::move(before), now});
}

void mirror::take_typed(const row_change& change, bool check) {
  const auto table = table_of(change.key);
  must(table.has_value(), "a row's key belongs to a table");
  const auto put = [&]<class Row>(mirror_table<Row>& rows) {
    take(rows, ledger::row_traits<Row>::parse_key(change.key), change, check);
  };
  switch (*table) {
    case ledger_table::chain:
      chain = decode<chain_row>(*change.value).value();
      return;
    case ledger_table::account:
      return put(accounts);
    case ledger_table::validator:
      return put(validators);
    case ledger_table::model:
      return put(models);
    case ledger_table::model_version:
      return put(versions);
    case ledger_table::target:
      return put(targets);
    case ledger_table::submission:
      return put(submissions);
    case ledger_table::used_data:
      return put(used_data);
    case ledger_table::known_weights:
      return put(known_weights);
    case ledger_table::agenda:
      return put(agenda);
    case ledger_table::stake:
      return put(stakes);
    case ledger_table::consensus_key:
      return take(consensus_keys, id_in_key<hash256>(change.key)->value, change, check);
    case ledger_table::committee:
      return take(committees, {}, change, check);
    case ledger_table::evidence:
      return put(evidence);
    case ledger_table::onion:
      return take(onions, id_in_key<hash256>(change.key)->value, change, check);
    case ledger_table::list:
      return put(lists);
  }
}

void mirror::apply(std::span<const row_change> changes, bool check_bytes) {
  const auto forget = [](auto&... tables) { (tables.changed.clear(), ...); };
  forget(accounts, validators, models, versions, targets, submissions, used_data, known_weights,
         agenda, stakes, consensus_keys, committees, evidence, onions, lists);
  chain_before = chain;
  for (const auto& change : changes) {
    auto& table = raw_.at(change.key.at(0));
    const auto key = text(change.key);
    const auto found = table.find(key);
    if (!change.value) {
      if (found != table.end()) table.erase(found);
    } else if (found != table.end()) {
      found->second = *change.value;
    } else {
      table.emplace(key, *change.value);
    }
    take_typed(change, check_bytes);
  }
  sort_targets();
}

void mirror::sort_targets() {
  const auto list_of = [&](target_status status) {
    const auto index = static_cast<std::size_t>(status);
    return index < live_.size() ? &live_[index] : nullptr;
  };
  for (const auto& change : targets.changed) {
    if (change.before && change.after != nullptr && change.before->status == change.after->status)
      continue;
    if (change.before) {
      if (auto* list = list_of(change.before->status)) std::erase(*list, change.key);
    }
    if (change.after != nullptr) {
      if (auto* list = list_of(change.after->status)) list->push_back(change.key);
    }
  }
}

const stake_pool* mirror::pool(const pool_owner& whose) const {
  if (const auto* model = std::get_if<model_id>(&whose)) {
    const auto* row = models.find(*model);
    return row != nullptr ? &row->pool : nullptr;
  }
  const auto* row = validators.find(std::get<address>(whose));
  return row != nullptr ? &row->pool : nullptr;
}

std::vector<row_change> mirror::all_rows() const {
  std::vector<row_change> rows;
  for (const auto& table : raw_) {
    for (const auto& [key, value] : table) rows.push_back({row_key(key.begin(), key.end()), value});
  }
  return rows;
}

}  // namespace soma::test
