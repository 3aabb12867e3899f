#include "actors/validator/ledger_answers.hpp"

#include "messages/types/codec.hpp"
#include "messages/types/fields.hpp"

namespace soma::actors {
namespace {

void fill_target(schema::OpenTarget::Builder out, const target_id& id, const target_row& row) {
  out.setId(data_of(id));
  out.setRadiusQ30(row.radius_q30);
  out.setRewardShannons(row.reward.value);
  fill(out.initPoint(static_cast<unsigned>(row.point.size())), row.point);
  auto assigned = out.initAssigned(static_cast<unsigned>(row.assigned.size()));
  for (unsigned i = 0; i < row.assigned.size(); ++i) fill(assigned[i], row.assigned[i]);
}

}  // namespace

message<schema::Row> row_answer(const storage::ledger_view& ledger, byte_view key) {
  const auto value = table_of(key) ? ledger.find_row(key) : std::nullopt;
  return message<schema::Row>::build([&](auto out) {
    out.setFound(value.has_value());
    if (value) out.setValue(data_of(*value));
  });
}

message<schema::OpenTargets> open_targets_answer(const storage::ledger_view& ledger,
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

message<schema::SubmitReceipt> receipt(const transaction_id& id, std::uint16_t refusal,
                                       std::string_view why) {
  return message<schema::SubmitReceipt>::build([&](auto out) {
    out.setTransaction(data_of(id));
    out.setRefusal(refusal);
    out.setWhy(std::string(why));
  });
}

message<schema::SubmitReceipt> receipt(const transaction_id& id, rules::refusal refusal) {
  return receipt(id, static_cast<std::uint16_t>(refusal), rules::to_text(refusal));
}

}  // namespace soma::actors
