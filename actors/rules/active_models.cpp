#include "actors/rules/active_models.hpp"

#include <algorithm>

#include "actors/rules/arithmetic.hpp"
#include "actors/rules/pools.hpp"

namespace soma::rules {
namespace {

/// A model as a candidate; nullopt where it is not active.
std::optional<candidate> candidate_of(const model_id& id, const model_row* row) {
  if (row == nullptr || row->status != model_status::active) return std::nullopt;
  const auto stake = counted_stake(row->pool);
  return candidate{{id, row->active_version}, stake, integer_sqrt(stake.value)};
}

using update = std::pair<model_id, std::optional<candidate>>;

/// `updates` in order of ids, each id once.
std::vector<candidate> merged(const std::vector<candidate>& list,
                              const std::vector<update>& updates) {
  std::vector<candidate> next;
  next.reserve(list.size() + updates.size());
  auto old = list.begin();
  for (const auto& [id, now] : updates) {
    const auto place =
        std::lower_bound(old, list.end(), id,
                         [](const candidate& c, const model_id& m) { return c.model.model < m; });
    next.insert(next.end(), old, place);
    old = place != list.end() && place->model.model == id ? place + 1 : place;
    if (now) next.push_back(*now);
  }
  next.insert(next.end(), old, list.end());
  return next;
}

}  // namespace

active_models::active_models(const ledger::state_reader& state) {
  state.scan(table_prefix(ledger_table::model), [&](byte_view key, byte_view value) {
    const auto row = ledger::row_traits<model_row>::decode(value);
    if (const auto now = candidate_of(ledger::row_traits<model_row>::parse_key(key), &row))
      list_.push_back(*now);
  });
  std::sort(list_.begin(), list_.end(),
            [](const auto& a, const auto& b) { return a.model < b.model; });
}

std::vector<candidate> active_models::after(const ledger::block_state& block) const {
  std::vector<update> updates;
  block.models.each_written([&](const model_id& id, const model_row* row) {
    updates.emplace_back(id, candidate_of(id, row));
  });
  return merged(list_, updates);
}

void active_models::apply(std::span<const row_change> changes) {
  std::vector<update> updates;
  for (const auto& change : changes) {
    if (table_of(change.key) != ledger_table::model) continue;
    const auto id = ledger::row_traits<model_row>::parse_key(change.key);
    std::optional<model_row> row;
    if (change.value) row = ledger::row_traits<model_row>::decode(*change.value);
    updates.emplace_back(id, candidate_of(id, row ? &*row : nullptr));
  }
  if (updates.empty()) return;
  std::sort(updates.begin(), updates.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  list_ = merged(list_, updates);
}

}  // namespace soma::rules
