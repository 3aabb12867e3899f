#include <algorithm>

#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

using wide = unsigned __int128;

std::optional<address> owner_of(const mirror& rows, const pool_owner& whose) {
  if (const auto* who = std::get_if<address>(&whose)) return *who;
  const auto* row = rows.models.find(std::get<model_id>(whose));
  if (row == nullptr) return std::nullopt;
  return row->owner;
}

std::string name(const pool_owner& whose) {
  if (const auto* model = std::get_if<model_id>(&whose)) return "model " + model->short_text();
  return "validator " + std::get<address>(whose).short_text();
}

/// Whether this pool was slashed in the block.
bool is_slash(const event& e, const pool_owner& whose) {
  if (const auto* model = std::get_if<model_id>(&whose))
    return e.kind == event_kind::model_slashed && e.model.model == *model;
  return e.kind == event_kind::validator_slashed && e.account == std::get<address>(whose);
}
bool is_of(const event& e, const pool_owner& whose) {
  if (const auto* model = std::get_if<model_id>(&whose)) return e.model.model == *model;
  return e.model.model.is_zero() && e.other == std::get<address>(whose);
}

}  // namespace

void pool_watch::begin(const mirror& rows) {
  for (const auto& [position, row] : rows.stakes.rows) holders_[position.pool] += row.shares;
}

/// Protocol §4.7: within an epoch only a slash takes from what waits to be paid out, and from
/// others than the owner only when the owner has nothing left.
void pool_watch::check_slash(const rules::effects& done, const mirror& rows,
                             const pool_owner& whose, const stake_pool& before,
                             const stake_pool& after) const {
  if (done.epoch_closed) return;
  must(before.unbonding.size() == after.unbonding.size(), "an epoch's end makes and pays batches",
       [&] { return name(whose); });
  bool lost = wide{after.stake.value} * before.shares < wide{before.stake.value} * after.shares &&
              before.owner_shares != before.shares;
  for (std::size_t i = 0; i < after.unbonding.size(); ++i) {
    const auto& was = before.unbonding[i];
    const auto& now = after.unbonding[i];
    must(was.payable_in == now.payable_in && was.amount == now.amount && was.kept >= now.kept,
         "a slash only takes", [&] { return name(whose); });
    lost = lost || was.kept > now.kept;
  }
  if (!lost) return;
  must(std::ranges::any_of(done.events, [&](const event& e) { return is_slash(e, whose); }),
       "only a slash takes", [&] { return name(whose); });
  const auto* owner = rows.stakes.find({whose, *owner_of(rows, whose)});
  const bool waits =
      owner != nullptr &&
      std::ranges::any_of(owner->unbonding, [](const auto& part) { return part.amount.value > 0; });
  must(!waits, "who leaves its pool pays before those who trusted it", [&] { return name(whose); });
}

void pool_watch::check_pool(const mirror& rows, const pool_owner& whose) const {
  const auto* pool = rows.pool(whose);
  const auto whose_pool = [&] { return name(whose); };
  must(pool != nullptr, "a position names a pool", whose_pool);
  const auto found = holders_.find(whose);
  const auto holders = found != holders_.end() ? found->second : 0;
  must(wide{holders} + pool->owner_shares == pool->shares, "shares of holders and owner are all",
       whose_pool);
  must(pool->stake.value == 0 || pool->shares > 0, "a pool with stake has shares", whose_pool);
}

void pool_watch::check_price(const rules::effects& done, const pool_owner& whose,
                             const stake_pool& before, const stake_pool& after) const {
  if (before.shares == 0 || after.shares == 0) return;
  if (wide{after.stake.value} * before.shares >= wide{before.stake.value} * after.shares) return;
  bool slashed = false;
  std::uint64_t joined = 0;
  for (const auto& e : done.events) {
    slashed = slashed || is_slash(e, whose);
    if (e.kind == event_kind::stake_joined && is_of(e, whose)) joined += e.detail;
  }
  if (joined == after.shares) return;  // all holders left, and then the pool was founded anew
  must(slashed, "a share's price falls by a slash alone", [&] { return name(whose); });
  must(before.owner_shares == before.shares || after.owner_shares == 0,
       "a slash touches those who only delegate when the owner has nothing left",
       [&] { return name(whose); });
}

/// Whoever withdraws keeps nothing, or shares worth a deposit.
void pool_watch::check_remainder(const rules::effects& done, const mirror& rows,
                                 const mirror_table<stake_row>::delta& c) const {
  const auto leaving = c.before ? c.before->leaving_shares : 0;
  if (c.after == nullptr || c.after->leaving_shares <= leaving) return;
  const auto& whose = c.key.pool;
  if (std::ranges::any_of(done.events, [&](const event& e) { return is_slash(e, whose); })) return;
  const auto& pool = *rows.pool(whose);
  const bool owner = owner_of(rows, whose) == c.key.holder;
  const auto held = owner ? pool.owner_shares : c.after->shares;
  const auto staying = held - c.after->leaving_shares;
  must(staying == 0 || wide{pool.stake.value} * staying / pool.shares >= p_.min_model_stake.value,
       "who withdraws keeps nothing, or what a deposit is worth", [&] { return name(whose); });
}

void pool_watch::check(const rules::effects& done, const mirror& rows) {
  std::set<pool_owner> touched;
  for (const auto& c : rows.stakes.changed) {
    auto& sum = holders_[c.key.pool];
    if (c.before) sum -= c.before->shares;
    if (!done.epoch_closed) check_remainder(done, rows, c);
    if (c.after != nullptr) {
      must(*c.after != stake_row{}, "an empty position is no row");
      must(c.after->shares == 0 || owner_of(rows, c.key.pool) != c.key.holder,
           "the owner's shares stand in the pool");
      sum += c.after->shares;
    }
    touched.insert(c.key.pool);
  }
  const auto look = [&](const auto& changed) {
    for (const auto& c : changed) {
      touched.insert(c.key);
      must(c.after->commission_bps <= 10'000 && c.after->next_commission_bps <= 10'000,
           "a commission is a part");
      if (!c.before) continue;
      check_price(done, c.key, c.before->pool, c.after->pool);
      check_slash(done, rows, c.key, c.before->pool, c.after->pool);
    }
  };
  look(rows.validators.changed);
  look(rows.models.changed);
  for (const auto& whose : touched) check_pool(rows, whose);
}

void pool_watch::check_all(const mirror& rows) const {
  std::map<pool_owner, wide> owed, shares;
  const auto worth = [&](const pool_owner& whose, std::uint64_t part) {
    const auto* pool = rows.pool(whose);
    if (pool == nullptr || pool->shares == 0) return wide{0};
    return wide{pool->stake.value} * part / pool->shares;
  };
  std::map<std::pair<pool_owner, epoch_number>, std::uint64_t> waiting;
  for (const auto& [position, row] : rows.stakes.rows) {
    owed[position.pool] += worth(position.pool, row.shares);
    shares[position.pool] += row.shares;
    if (owner_of(rows, position.pool) == position.holder) continue;
    for (const auto& part : row.unbonding) {
      waiting[{position.pool, part.payable_in}] += part.amount.value;
    }
  }
  const auto look = [&](const pool_owner& whose, const stake_pool& pool) {
    must(owed[whose] + worth(whose, pool.owner_shares) <= pool.stake.value,
         "a pool can pay all it owes", [&] { return name(whose); });
    must(shares[whose] + pool.owner_shares == pool.shares, "shares, counted again, add up",
         [&] { return name(whose); });
    for (const auto& batch : pool.unbonding) {
      const auto found = waiting.extract({whose, batch.payable_in});
      must(!found.empty() && found.mapped() == batch.amount.value,
           "a batch is what its holders wait for", [&] { return name(whose); });
    }
  };
  for (const auto& [id, row] : rows.validators.rows) look(id, row.pool);
  for (const auto& [id, row] : rows.models.rows) look(id, row.pool);
  must(waiting.empty(), "whoever waits to be paid is in a batch");
}

}  // namespace soma::test
