#include "actors/rules/voting_power.hpp"
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

/// Whether something was slashed off this pool.
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
  if (joined == after.shares) return;  // everybody left, then it was founded anew
  must(slashed, "a share's price falls by a slash alone", [&] { return name(whose); });
  must(before.owner_shares == before.shares, "a slash does not touch those who only delegate",
       [&] { return name(whose); });
}

void pool_watch::check(const rules::effects& done, const mirror& rows) {
  std::set<pool_owner> touched;
  for (const auto& c : rows.stakes.changed) {
    auto& sum = holders_[c.key.pool];
    if (c.before) sum -= c.before->shares;
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
      if (c.before) check_price(done, c.key, c.before->pool, c.after->pool);
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
  for (const auto& [position, row] : rows.stakes.rows) {
    owed[position.pool] += worth(position.pool, row.shares);
    shares[position.pool] += row.shares;
  }
  const auto look = [&](const pool_owner& whose, const stake_pool& pool) {
    must(owed[whose] + worth(whose, pool.owner_shares) <= pool.stake.value,
         "a pool can pay all it owes", [&] { return name(whose); });
    must(shares[whose] + pool.owner_shares == pool.shares, "shares, counted again, add up",
         [&] { return name(whose); });
  };
  for (const auto& [id, row] : rows.validators.rows) look(id, row.pool);
  for (const auto& [id, row] : rows.models.rows) look(id, row.pool);
}

void committee_watch::begin(const mirror& rows) {
  check_seats(rows);
  remember(rows);
}

void committee_watch::remember(const mirror& rows) {
  powers_.clear();
  for (const auto& seat : rows.committee().seats) {
    seated_[rows.chain.epoch].insert(seat.member);
    powers_[seat.member] = seat.power;
  }
}

/// Whoever votes has a seat, votes with its power, and once.
void committee_watch::check_votes(const mirror& rows) const {
  const auto look = [&](const auto& changed) {
    for (const auto& c : changed) {
      const auto& votes = c.after->votes;
      for (std::size_t i = c.before ? c.before->votes.size() : 0; i < votes.size(); ++i) {
        const auto power = powers_.find(votes[i].voter);
        must(power != powers_.end() && power->second == votes[i].power,
             "votes are those of members, with their power");
        for (std::size_t k = 0; k < i; ++k)
          must(votes[k].voter != votes[i].voter, "a member votes once");
      }
    }
  };
  look(rows.submissions.changed);
  look(rows.versions.changed);
}

void committee_watch::check_seats(const mirror& rows) const {
  const auto& seats = rows.committee().seats;
  must(!seats.empty() && seats.size() <= p_.committee_size, "a committee has its size");
  const auto cap = rules::power_cap(seats.size());
  std::uint64_t all = 0;
  const address* last = nullptr;
  for (const auto& seat : seats) {
    must(last == nullptr || *last < seat.member, "seats are in order of address, each once");
    last = &seat.member;
    must(seat.power >= 1 && seat.power <= cap, "a power is within its cap");
    all += seat.power;
    const auto* holder = rows.consensus_keys.find(seat.consensus_key);
    must(holder != nullptr && holder->validator == seat.member, "a seat's key is its member's");
  }
  must(all == 10'000, "powers sum to 10,000");
}

void committee_watch::check(const rules::block_input& block, const rules::effects& done,
                            const mirror& rows) {
  const auto& chain = rows.chain;
  for (const auto& c : rows.committees.changed) {
    must(c.before.has_value() && c.after != nullptr, "there is always one committee");
    if (done.epoch_closed) continue;
    must(c.before->seats.size() == c.after->seats.size(), "nobody sits down within an epoch");
    for (std::size_t i = 0; i < c.after->seats.size(); ++i) {
      const auto& was = c.before->seats[i];
      const auto& now = c.after->seats[i];
      must(was.member == now.member && was.power == now.power &&
               was.consensus_key == now.consensus_key,
           "power is constant within an epoch");
      must(now.blocks_signed <= block.height.value - chain.epoch_first_block.value + 1,
           "nobody signs a block twice");
      must(now.blocks_signed >= was.blocks_signed && now.audits_cast >= was.audits_cast,
           "work is counted up");
    }
  }
  for (const auto& e : done.events) {
    if (e.kind != event_kind::validator_slashed) continue;
    const auto members = seated_.find({e.detail});
    must(members != seated_.end() && members->second.contains(e.account),
         "only who had a seat in that epoch is punished for it");
    must(rows.chain_before.epoch.value - e.detail <= p_.validator_unbonding_epochs,
         "old evidence is refused");
  }
  check_votes(rows);
  must(done.epoch_closed == (chain.epoch != rows.chain_before.epoch), "an epoch closes once");
  if (!done.epoch_closed) return;
  must(done.next_committee == rows.committee().seats, "the next committee is the one in the rows");
  check_seats(rows);
  for (const auto& seat : rows.committee().seats) {
    must(seat.blocks_signed == 0 && seat.audits_cast == 0, "an epoch begins without work done");
  }
  remember(rows);
  must(rows.committee().audits_due == 0, "an epoch begins without work due");
}

}  // namespace soma::test
