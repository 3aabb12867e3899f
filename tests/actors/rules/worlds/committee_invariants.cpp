#include <algorithm>

#include "actors/rules/pools.hpp"
#include "messages/codec/codec.hpp"
#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {

void committee_watch::begin(const mirror& rows) {
  check_seats(rows);
  remember(rows);
}

void committee_watch::remember(const mirror& rows) {
  powers_.clear();
  for (const auto& seat : rows.committee().seats) {
    seated_[rows.chain.epoch][seat.consensus_key] = seat.member;
    powers_[seat.member] = seat.power;
  }
}

/// A voter has a seat, votes with the power of that seat, and votes once.
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
  std::uint64_t all = 0;
  const address* last = nullptr;
  for (const auto& seat : seats) {
    must(last == nullptr || *last < seat.member, "seats are in order of address, each once");
    last = &seat.member;
    must(seat.power.value >= 1, "a seat has power");
    all += seat.power.value;
    const auto* holder = rows.consensus_keys.find(seat.consensus_key);
    must(holder != nullptr && holder->validator == seat.member, "a seat's key is its member's");
  }
  must(all == 10'000, "powers sum to 10,000");
  check_stakes(rows);
}

/// No power is more than five quarters of the stake behind it, unless an old committee stays.
void committee_watch::check_stakes(const mirror& rows) const {
  const auto pool_of = [&](const committee_seat& seat) -> const stake_pool& {
    return rows.validators.find(seat.member)->pool;
  };
  unsigned __int128 all = 0;
  for (const auto& seat : rows.committee().seats) {
    const auto own = rules::own_stake(pool_of(seat));
    if (!rows.validators.find(seat.member)->wants_seat || own < p_.min_validator_stake) return;
    const auto ten = static_cast<unsigned __int128>(own.value) * 10;
    all += std::min<unsigned __int128>(ten, pool_of(seat).stake.value);
  }
  for (const auto& seat : rows.committee().seats) {
    const unsigned __int128 stake = pool_of(seat).stake.value;
    must(seat.power.value * all * 4 <= stake * 50'000, "power is at most 5/4 of the stake");
  }
}

/// A report is applied if the key signed for a seat in that epoch, and only then.
void committee_watch::check_reports(const rules::block_input& block,
                                    const rules::effects& done) const {
  for (std::size_t i = 0; i < done.outcomes.size(); ++i) {
    const auto& reason = done.outcomes[i].reason;
    if (reason && reason != rules::refusal::signer_not_seated) continue;
    const auto* shown = std::get_if<tx::report_equivocation>(&block.transactions[i].body->kind);
    if (shown == nullptr) continue;
    const auto vote = decode<vote_statement>(shown->first_statement);
    const auto epoch = vote ? vote->epoch : decode<block_header>(shown->first_statement)->epoch;
    const auto keys = seated_.find(epoch);
    must((keys != seated_.end() && keys->second.contains(shown->signer)) == !reason,
         "a key proves something of the epochs in which it had a seat, and of no other");
  }
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
      must(now.blocks_signed <= block.height.value - chain.epoch_first_block.value,
           "nobody signs a block twice");
      must(now.blocks_signed >= was.blocks_signed && now.audits_cast >= was.audits_cast,
           "work is counted up");
    }
  }
  for (const auto& e : done.events) {
    if (e.kind != event_kind::validator_slashed) continue;
    const auto members = seated_.find({e.detail});
    must(members != seated_.end() &&
             std::ranges::any_of(members->second,
                                 [&](const auto& seat) { return seat.second == e.account; }),
         "only who had a seat in that epoch is punished for it");
    must(rows.chain_before.epoch.value - e.detail <= p_.validator_unbonding_epochs,
         "old evidence is refused");
  }
  check_votes(rows);
  check_reports(block, done);
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
