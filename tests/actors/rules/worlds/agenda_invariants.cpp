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

template <class Row, class IsListed>
void follow(std::set<hash256>& wanted, const mirror_table<Row>& table, IsListed is_listed) {
  for (const auto& change : table.changed) {
    const auto id = change.key.template as<hash_tag>();
    if (change.after != nullptr && is_listed(*change.after)) {
      wanted.insert(id);
    } else {
      wanted.erase(id);
    }
  }
}

void check_page(const list_page& page, const list_row& row, std::uint64_t length) {
  const auto before = std::uint64_t{page.number} * list_page_ids;
  must(before < length, "a list has no page behind its end");
  must(row.ids.size() == std::min<std::uint64_t>(list_page_ids, length - before),
       "only the last page of a list has room");
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

void list_watch::take(const mirror& rows) {
  follow(models_.wanted, rows.models,
         [](const model_row& row) { return row.status == model_status::active; });
  follow(targets_.wanted, rows.targets,
         [](const target_row& row) { return row.status == target_status::open; });
  const auto of = [&](const list_page& page) -> ids& {
    return page.list == list_kind::active_models ? models_ : targets_;
  };
  for (const auto& change : rows.lists.changed) {
    if (!change.before) continue;
    for (const auto& id : change.before->ids) of(change.key).listed.erase(id);
  }
  for (const auto& change : rows.lists.changed) {
    if (change.after == nullptr) continue;
    for (const auto& id : change.after->ids) {
      must(of(change.key).listed.insert(id).second, "a list names each entry once");
    }
    check_page(change.key, *change.after,
               change.key.list == list_kind::active_models ? rows.chain.active_models
                                                           : rows.chain.open_targets);
  }
  must(models_.listed == models_.wanted, "the list of active models has all of them and no other");
  must(targets_.listed == targets_.wanted, "the list of open targets has all of them and no other");
  must(rows.chain.active_models == models_.listed.size() &&
           rows.chain.open_targets == targets_.listed.size(),
       "the chain row counts its lists");
}

}  // namespace soma::test
