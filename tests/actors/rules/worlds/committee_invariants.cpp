#include <algorithm>

#include "actors/rules/pools.hpp"
#include "messages/codec/codec.hpp"
#include "messages/crypto/hash.hpp"
#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

bool is_ok(const cast_vote<audit_verdict>& vote) {
  return vote.verdict == audit_verdict::ok;
}

bool has_ended(target_status status) {
  return status == target_status::settled || status == target_status::slashed ||
         status == target_status::voided;
}

}  // namespace

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
      must(now.blocks_signed >= was.blocks_signed && now.audits_cast >= was.audits_cast &&
               now.audits_due >= was.audits_due,
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
    must(seat.audits_due == 0, "an epoch begins without work due");
  }
  remember(rows);
}

// Protocol §5.7, §8.3.5 and §8.4.5, worked out again: who was called to an audit, when a sample
// decides one, and who owed a vote.

void sample_watch::begin(const mirror& rows) {
  seats_ = rows.committee().seats;
}

/// The members on which the sixteen draws fall, each as often as it is drawn.
std::map<address, std::uint32_t> sample_watch::drawn(const submission_row& s) const {
  std::map<address, std::uint32_t> draws;
  for (std::uint64_t i = 0; i < 16; ++i) {
    const auto hash = crypto::tagged_hash("soma.audit-seat").add(s.audit_seed).add_u64(i).finish();
    unsigned __int128 drawn = 0;
    for (std::size_t byte = 8; byte-- > 0;) drawn = drawn * 256 + hash.value[byte];
    const auto unit = drawn * 10'000 / (static_cast<unsigned __int128>(1) << 64);
    unsigned __int128 upper = 0;
    const auto seat = std::ranges::find_if(seats_, [&](const committee_seat& each) {
      upper += each.power.value;
      return unit < upper;
    });
    must(seat != seats_.end(), "a draw falls on a seat");
    ++draws[seat->member];
  }
  return draws;
}

/// Whether all members are called whatever has been voted.
bool sample_watch::calls_all(const submission_row& s, const mirror& rows) const {
  return seats_.size() <= 16 || s.audit_seed.value[31] % 16 == 0 ||
         rows.chain.time_ms - s.revealed_ms >= p_.epoch_ms / 24 ||
         *s.revealed_at < rows.chain_before.epoch_first_block;
}

/// `ok` comes from the drawn alone until all are called; one dissent is enough for that.
void sample_watch::check_votes(const submission_row& s, std::size_t old_votes,
                               const mirror& rows) const {
  if (s.votes.size() == old_votes) return;
  must(!s.sampled || *s.revealed_at >= rows.chain_before.epoch_first_block,
       "nobody votes in a later epoch on what a sample has decided");
  if (!s.sampled && calls_all(s, rows)) return;
  const auto draws = drawn(s);
  const auto dissent = std::ranges::find_if_not(s.votes, is_ok);
  for (auto vote = s.votes.begin() + static_cast<std::ptrdiff_t>(old_votes); vote != s.votes.end();
       ++vote) {
    const bool is_called = draws.contains(vote->voter);
    must(!s.sampled || is_called, "on what a sample has decided the sample alone votes");
    must(is_called || vote > dissent || !is_ok(*vote), "ok is said by who is called");
  }
}

/// The first votes without dissent, of so much power and so many draws.
void sample_watch::check_decision(const submission_row& s, target_status status,
                                  const mirror& rows) const {
  const auto dissent = std::ranges::find_if_not(s.votes, is_ok);
  const auto draws = drawn(s);
  std::uint64_t with_ok = 0, power = 0;
  for (auto vote = s.votes.begin(); vote != dissent; ++vote) {
    if (const auto found = draws.find(vote->voter); found != draws.end()) with_ok += found->second;
    power += vote->power.value;
  }
  const bool all = calls_all(s, rows);
  if (status == target_status::revealed) {
    must(!s.sampled, "what is not decided was not decided by a sample");
    must(all || dissent != s.votes.end() || with_ok < 14,
         "fourteen draws of a sample decide at once");
  } else if (s.sampled) {
    must(!all, "a sample decides while nobody else is called");
    const bool is_enough = with_ok >= 14 || power >= 6'667;
    must(is_enough == (status == target_status::settled), "a sample settles with fourteen draws");
  } else {
    must(all || dissent != s.votes.end(), "all decide when all are called");
  }
}

/// Protocol §5.7.1: nobody owes what votes have decided at the end of an epoch, or what ended
/// without a decision while hardly anybody had voted.
bool sample_watch::is_owed(const submission_row& s, target_status status,
                           const mirror& rows) const {
  std::uint64_t not_ok = 0, all = 0;
  for (const auto& vote : s.votes) {
    const auto seat = std::ranges::find(seats_, vote.voter, &committee_seat::member);
    if (seat == seats_.end()) continue;
    all += seat->power.value;
    if (!is_ok(vote)) not_ok += seat->power.value;
  }
  if (status == target_status::voided && not_ok < 6'667) return all >= 3'334;
  const auto passed = rows.chain.time_ms - rows.chain_before.epoch_start_ms;
  return passed < p_.epoch_ms - p_.epoch_ms / 24;
}

/// What each member owes more after this block, and what it owed in the epoch that ended with it.
void sample_watch::check_due(const std::map<address, std::uint64_t>& more,
                             const rules::effects& done, const mirror& rows) const {
  std::map<address, std::uint64_t> owed;
  for (const auto& seat : seats_) {
    const auto found = more.find(seat.member);
    owed[seat.member] = seat.audits_due + (found != more.end() ? found->second : 0);
  }
  if (!done.epoch_closed) {
    for (const auto& seat : rows.committee().seats)
      must(seat.audits_due == owed.at(seat.member), "who was called owes a vote, and nobody else");
    return;
  }
  for (const auto& e : done.events) {
    if (e.kind != event_kind::validator_paid && e.kind != event_kind::validator_absent) continue;
    must(e.audits_due == owed.at(e.account), "an epoch's end tells what was owed");
    const bool too_few = (e.detail & 0xffff'ffff) * 2 < e.audits_due;
    must(!too_few || e.kind == event_kind::validator_absent,
         "who owed more than it cast is absent");
  }
}

void sample_watch::check(const rules::effects& done, const mirror& rows) {
  std::map<address, std::uint64_t> more;
  for (const auto& c : rows.targets.changed) {
    const auto* s = rows.submissions.find(c.key);
    const bool is_new = !c.before || c.before->status != c.after->status;
    if (s == nullptr || !s->revealed_at || !is_new || !has_ended(c.after->status)) continue;
    check_decision(*s, c.after->status, rows);
    samples_ += s->sampled ? 1 : 0;
    if (!is_owed(*s, c.after->status, rows)) continue;
    if (s->sampled) {
      for (const auto& [member, draws] : drawn(*s)) ++more[member];
    } else {
      for (const auto& seat : seats_) ++more[seat.member];
    }
  }
  for (const auto& c : rows.submissions.changed) {
    if (!c.after->revealed_at) continue;
    const bool is_new = !c.before || !c.before->revealed_at;
    must(is_new || c.before->audit_seed == c.after->audit_seed, "a seed is made once");
    check_votes(*c.after, c.before ? c.before->votes.size() : 0, rows);
    const auto status = rows.targets.find(c.key)->status;
    if (status == target_status::revealed) check_decision(*c.after, status, rows);
  }
  check_due(more, done, rows);
  seats_ = rows.committee().seats;
}

}  // namespace soma::test
