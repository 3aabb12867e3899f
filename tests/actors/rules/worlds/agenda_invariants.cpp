#include <algorithm>

#include "actors/rules/models.hpp"
#include "messages/codec/codec.hpp"
#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

template <class Subject>
bool stands_on(const mirror& rows, epoch_number epoch, const Subject& subject) {
  return rows.agenda.find({epoch, subject}) != nullptr;
}

bool is_owner(const mirror& rows, const stake_position& position) {
  if (const auto* who = std::get_if<address>(&position.pool)) return *who == position.holder;
  return rows.models.find(std::get<model_id>(position.pool))->owner == position.holder;
}

}  // namespace

void agenda_watch::check_position(const mirror& rows, const stake_position& position) const {
  const auto* row = rows.stakes.find(position);
  if (row == nullptr) return;
  const auto now = rows.chain.epoch;
  if (row->joining.value > 0 || row->leaving_shares > 0)
    must(stands_on(rows, now, position),
         "a deposit or withdrawal is looked at when the epoch ends");
  const bool owner = row->shares == 0;
  must(owner || row->leaving_shares <= row->shares, "nobody withdraws more than there is");
  must(is_owner(rows, position) || row->joining.value == 0 || row->joining >= p_.min_model_stake,
       "a deposit that an end has to settle is not small");
  must(row->unbonding.size() <= max_unbonding, "withdrawals that wait are few");
  epoch_number last;
  for (const auto& part : row->unbonding) {
    must(part.payable_in >= now && part.payable_in >= last, "withdrawals wait in order");
    must(stands_on(rows, part.payable_in, position), "a withdrawal is paid in its epoch");
    last = part.payable_in;
  }
}

void agenda_watch::check_target(const mirror& rows, const target_id& target) const {
  const auto* row = rows.targets.find(target);
  const bool live = row->status == target_status::open || row->status == target_status::filled ||
                    row->status == target_status::revealed;
  if (live)
    must(stands_on(rows, rows.chain.epoch, target), "a target that lives is looked at every epoch");
  must(row->status != target_status::open || row->epoch == rows.chain.epoch,
       "an open target is of this epoch");
}

void agenda_watch::check_model(const mirror& rows, const model_id& model) const {
  const auto* row = rows.models.find(model);
  const auto now = rows.chain.epoch;
  if (row->next_commission_bps != row->commission_bps)
    must(stands_on(rows, now, model), "a commission that was set holds from the next epoch on");
  if (row->status == model_status::inactive) return;
  if (row->retiring) must(stands_on(rows, now, model), "a retiring model leaves with the epoch");
  const auto* version = rows.versions.find({model, row->latest_version});
  must(version != nullptr, "a model's latest version is there");
  if (version->status == version_status::committed || version->status == version_status::revealed) {
    const auto end = std::max(version->committed_in.next(), now);
    must(stands_on(rows, end, model), "the end of an epoch looks at a version that is pending");
    const auto last = version->committed_in.value +
                      (version->status == version_status::committed ? 1 : rules::trial_epochs);
    must(last >= now.value, "no version is pending for longer than its trial");
  }
}

void agenda_watch::check_validator(const mirror& rows, const address& who) const {
  const auto* row = rows.validators.find(who);
  if (row->next_commission_bps != row->commission_bps)
    must(stands_on(rows, rows.chain.epoch, who),
         "a commission that was set holds from the next epoch on");
}

void agenda_watch::check(const mirror& rows) const {
  if (rows.chain.epoch != rows.chain_before.epoch) return check_all(rows);
  for (const auto& c : rows.stakes.changed) check_position(rows, c.key);
  for (const auto& c : rows.targets.changed) check_target(rows, c.key);
  for (const auto& c : rows.models.changed) check_model(rows, c.key);
  for (const auto& c : rows.validators.changed) check_validator(rows, c.key);
  for (const auto& c : rows.agenda.changed)
    must(c.after != nullptr, "nothing leaves the agenda before its epoch ends");
}

void agenda_watch::check_all(const mirror& rows) const {
  for (const auto& [position, row] : rows.stakes.rows) check_position(rows, position);
  for (std::size_t status = 0; status < 3; ++status) {
    for (const auto& id : rows.live(static_cast<target_status>(status))) check_target(rows, id);
  }
  for (const auto& [id, row] : rows.models.rows) check_model(rows, id);
  for (const auto& [id, row] : rows.validators.rows) check_validator(rows, id);
  if (rows.agenda.rows.empty()) return;
  must(rows.agenda.rows.begin()->first.epoch >= rows.chain.epoch,
       "nothing of an epoch that is over is on the agenda");
  must(rows.agenda.rows.rbegin()->first.epoch.value <= rows.chain.epoch.value + 4,
       "nothing waits for a distant epoch");
}

}  // namespace soma::test
