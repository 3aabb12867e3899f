#include "actors/validator/ledger_answers.hpp"

#include <algorithm>

#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::validator {
namespace {

constexpr std::size_t max_row_key_bytes = 96;  // no row of the ledger has a longer key

void fill_refusal(schema::Refusal::Builder out, rules::refusal refusal) {
  SOMA_ASSERT(static_cast<std::uint16_t>(refusal) != 0, "0 is no refusal of the rules");
  out.setRules(static_cast<std::uint16_t>(refusal));
  out.setWhy(bounded_why(rules::to_text(refusal)));
}

void fill_refusal(schema::Refusal::Builder out, consensus::pool_refusal refusal) {
  out.setMempool(schema_refusal<schema::MempoolRefusal>(refusal));
  out.setWhy(bounded_why(consensus::to_text(refusal)));
}

void fill_target(schema::OpenTarget::Builder out, const target_id& id, const target_row& row) {
  out.setId(data_of(id));
  out.setRadiusQ30(row.radius_q30);
  out.setRewardShannons(row.reward.value);
  fill(out.initPoint(static_cast<unsigned>(row.point.size())), row.point);
  auto assigned = out.initAssigned(static_cast<unsigned>(row.assigned.size()));
  for (unsigned i = 0; i < row.assigned.size(); ++i) fill(assigned[i], row.assigned[i]);
}

}  // namespace

message<schema::Row> row_answer(const tables::ledger_view& ledger, byte_view key) {
  const auto value = table_of(key) ? ledger.find_row(key) : std::nullopt;
  return message<schema::Row>::build([&](auto out) {
    out.setFound(value.has_value());
    if (value) out.setValue(data_of(*value));
  });
}

namespace {

/// Visits the rows, or the records of an index, from the first key that is not below `first`.
void scan_from(const tables::ledger_view& ledger, schema::RowSource from, byte_view first,
               const tables::row_visitor& visit) {
  switch (from) {
    case schema::RowSource::LEDGER:
      return ledger.scan_from(first, visit);
    case schema::RowSource::TARGETS_BY_EPOCH:
      return ledger.scan_index(tables::row_index::targets_by_epoch, first, visit);
    case schema::RowSource::TARGETS_UNDECIDED:
      return ledger.scan_index(tables::row_index::targets_undecided, first, visit);
    case schema::RowSource::TARGET_COUNTS:
      return ledger.scan_index(tables::row_index::target_counts, first, visit);
    case schema::RowSource::MODEL_COUNTS:
      return ledger.scan_index(tables::row_index::model_counts, first, visit);
  }
}

}  // namespace

message<schema::Rows> rows_answer(const tables::ledger_view& ledger, byte_view prefix,
                                  byte_view after, std::size_t most, schema::RowSource from) {
  std::vector<std::pair<row_key, bytes>> page;
  bool more = false;
  const auto begins = [&](byte_view key) {
    return key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
  };
  const bool is_prefix = !prefix.empty() || from != schema::RowSource::LEDGER;
  if (is_prefix && prefix.size() <= max_row_key_bytes && after.size() <= max_row_key_bytes) {
    // The smallest key after `after` is `after` followed by a zero byte.
    bytes first(prefix.begin(), prefix.end());
    if (!after.empty() && begins(after)) {
      first.assign(after.begin(), after.end());
      first.push_back(0);
    }
    const auto limit = std::min(std::max<std::size_t>(most, 1), max_listed_rows);
    std::size_t size = 0;
    scan_from(ledger, from, first, [&](byte_view key, byte_view value) {
      if (!begins(key)) return false;
      more = page.size() == limit || size > max_page_bytes;
      if (more) return false;
      page.emplace_back(row_key(key.begin(), key.end()), bytes(value.begin(), value.end()));
      size += key.size() + value.size();
      return true;
    });
  }
  return message<schema::Rows>::build([&](auto out) {
    out.setHeight(ledger.height().value);
    out.setMore(more);
    auto list = out.initRows(static_cast<unsigned>(page.size()));
    for (unsigned i = 0; i < page.size(); ++i) {
      list[i].setKey(data_of(page[i].first));
      list[i].setValue(data_of(page[i].second));
    }
  });
}

message<schema::TransactionStatus> transaction_answer(const tables::ledger_view& ledger,
                                                      const transaction_id& id) {
  const auto place = ledger.find_transaction(id);
  std::optional<event> outcome;
  if (place) {
    for (const auto& item : ledger.events_at(place->height)) {
      const bool is_outcome = item.kind == event_kind::transaction_applied ||
                              item.kind == event_kind::transaction_refused;
      if (is_outcome && item.transaction == id) outcome = item;
    }
  }
  return message<schema::TransactionStatus>::build([&](auto out) {
    if (!outcome) return;
    out.setHeight(outcome->height.value);
    out.setEpoch(outcome->epoch.value);
    out.setFeeShannons(outcome->amount.value);
    if (outcome->refusal != 0) {
      fill_refusal(out.initRefusal(), static_cast<rules::refusal>(outcome->refusal));
    }
  });
}

message<schema::OpenTargets> open_targets_answer(const tables::ledger_view& ledger,
                                                 const chain_row& tip, std::size_t most) {
  auto ids = ledger.open_targets(tip.epoch);
  ids.resize(std::min({ids.size(), most, max_listed_targets}));
  return message<schema::OpenTargets>::build([&](auto out) {
    out.setEpoch(tip.epoch.value);
    out.setHeight(tip.height.value);
    auto list = out.initTargets(static_cast<unsigned>(ids.size()));
    for (unsigned i = 0; i < ids.size(); ++i) fill_target(list[i], ids[i], *ledger.target(ids[i]));
  });
}

message<schema::SubmitReceipt> receipt(const transaction_id& id, const offer_refusal& refusal) {
  return message<schema::SubmitReceipt>::build([&](auto out) {
    out.setTransaction(data_of(id));
    if (const auto* by_rules = std::get_if<rules::refusal>(&refusal)) {
      fill_refusal(out.initRefusal(), *by_rules);
    } else if (const auto* by_pool = std::get_if<consensus::pool_refusal>(&refusal)) {
      fill_refusal(out.initRefusal(), *by_pool);
    }
  });
}

offer_refusal offer_refusal_of(schema::Refusal::Reader refusal) {
  switch (refusal.which()) {
    case schema::Refusal::NONE:
      return {};
    case schema::Refusal::RULES:
      return static_cast<rules::refusal>(refusal.getRules());
    case schema::Refusal::MEMPOOL:
      return refusal_of_schema<consensus::pool_refusal>(refusal.getMempool());
    default:
      // A validator of this version sends no other kind. Whatever it means, the transaction was
      // not taken.
      return consensus::pool_refusal::pool_full;
  }
}

rules::refused block_refusal_of(schema::Refusal::Reader refusal) {
  if (!refusal.isRules()) return std::nullopt;
  return static_cast<rules::refusal>(refusal.getRules());
}

message<schema::BlockNotice> block_notice(const block_id& id, const rules::effects& done,
                                          const state_root& root) {
  return message<schema::BlockNotice>::build([&](auto out) {
    out.setHeight(done.chain.height.value);
    out.setEpoch(done.chain.epoch.value);
    out.setId(data_of(id));
    out.setClosesEpoch(done.epoch_closed);
    out.setStateRoot(data_of(root));
    auto events = out.initEvents(static_cast<unsigned>(done.events.size()));
    for (unsigned i = 0; i < done.events.size(); ++i) {
      const auto event = encode(done.events[i]);
      events.set(i, data_of(event));
    }
  });
}

}  // namespace soma::validator
