#include "tests/actors/rules/worlds/actors.hpp"

#include <algorithm>
#include <limits>

#include "messages/signing/signing.hpp"
#include "tests/actors/rules/worlds/people.hpp"

namespace soma::test {

actors::actors(const world& in)
    : in_(in),
      rows_(in.rows()),
      p_(in.genesis().parameters),
      d_{in.seed() ^ 0x5eed5eed5eed5eed},
      person_count_(test::person_count),
      hostile_percent_(3 + d_.below(20)),
      bad_percent_(10 + d_.below(50)),
      epoch_percent_(4 + d_.below(16)) {
  if (d_.chance(50)) lazy_ = 1u << (first_validator + d_.below(8));
}

/// Forgets most of what has become useless, and keeps a part of it to try it all the same.
void actors::forget() {
  const auto over = [&](bool useless) { return useless && d_.chance(60); };
  std::erase_if(models_, [&](const auto& m) { return over(rows_.models.find(m) == nullptr); });
  std::erase_if(model_secrets_, [&](const model_secret& s) {
    const auto* row = rows_.models.find(s.reveal.model);
    if (row == nullptr) return over(true);
    return over(s.committed_in < rows_.chain.epoch &&
                rows_.versions.find({s.reveal.model, row->latest_version})->status !=
                    version_status::committed);
  });
  std::erase_if(data_secrets_, [&](const data_secret& s) {
    const auto* row = rows_.targets.find(s.reveal.target);
    const auto* claim = rows_.submissions.find(s.reveal.target);
    const bool theirs = claim != nullptr && claim->submitter != everybody()[s.submitter].where;
    return over(theirs ||
                (row->status != target_status::open && row->status != target_status::filled));
  });
}

std::vector<step> actors::next_block() {
  steps_.clear();
  forget();
  const auto wanted = d_.chance(2) ? 150 : 2 + d_.below(24);
  while (steps_.size() < wanted) act();
  step block;
  block.kind = step::what::block;
  block.time_step_ms = d_.chance(epoch_percent_)
                           ? p_.epoch_ms
                           : 1 + d_.below(std::max<std::uint64_t>(2, p_.epoch_ms / 20));
  if (d_.chance(8)) block.shuffle = 1 + d_.below(1'000'000);
  if (!d_.chance(20)) block.absent = lazy_;
  if (d_.chance(10)) block.absent |= d_.next();
  block.odd_signers = d_.chance(5);
  block.proposer = d_.below(8);
  steps_.push_back(block);
  return std::move(steps_);
}

void actors::act() {
  struct weighted {
    std::uint64_t weight;
    deed act;
  };
  static constexpr weighted deeds[] = {
      {14, &actors::transfer},
      {5, &actors::commit_model},
      {5, &actors::reveal_models},
      {2, &actors::retire_model},
      {12, &actors::judge_model},
      {20, &actors::claim},
      {16, &actors::reveal_data},
      {16, &actors::audit},
      {9, &actors::deposit},
      {7, &actors::withdraw},
      {4, &actors::change_commission},
      {2, &actors::join},
      {1, &actors::leave},
      {2, &actors::commit_onion},
      {1, &actors::report},
      {4, &actors::again},
  };
  static constexpr auto all = [] {
    std::uint64_t sum = 0;
    for (const auto& each : deeds) sum += each.weight;
    return sum;
  }();
  auto roll = d_.below(all);
  for (const auto& each : deeds) {
    if (roll < each.weight) return (this->*each.act)();
    roll -= each.weight;
  }
}

step& actors::send(std::size_t sender, transaction_kind body) {
  step s;
  s.serial = ++serial_;
  s.sender = sender;
  s.body = std::move(body);
  s.expiry_off = d_.chance(50) ? 5 : 0;
  s.size_bytes = 100 + d_.below(250);
  if (d_.chance(hostile_percent_)) make_hostile(s);
  steps_.push_back(std::move(s));
  return steps_.back();
}

/// Makes the envelope of a transaction or its sender invalid.
void actors::make_hostile(step& s) {
  switch (d_.below(8)) {
    case 0:
      s.nonce_off = -1;
      break;
    case 1:
      s.nonce_off = d_.chance(50) ? 1 : std::numeric_limits<std::int64_t>::max();
      break;
    case 2:
      if (rows_.chain.epoch.value > 0) s.expiry_off = -1;
      break;
    case 3:
      s.wrong_chain = true;
      break;
    case 4:
      s.known = d_.chance(50) ? rules::refusal::malformed : rules::refusal::bad_signature;
      break;
    default:
      s.sender = anybody();
  }
}

std::uint64_t actors::strange_amount() {
  switch (d_.below(6)) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return std::uint64_t{1} << 63;
    case 3:
      return std::numeric_limits<std::uint64_t>::max();
    case 4:
      return supply_cap.value;
    default:
      return d_.next() >> d_.below(64);
  }
}

std::uint64_t actors::amount_of(std::size_t person) {
  if (d_.chance(hostile_percent_)) return strange_amount();
  const auto* account = rows_.accounts.find(everybody()[person].where);
  const auto balance = account != nullptr ? account->balance.value : 0;
  return 1 + d_.below(balance / (1 + d_.below(64)) + 1);
}

/// An id that does not belong where it is used: of another kind, or of nothing.
hash256 actors::strange_id() {
  switch (d_.below(4)) {
    case 0:
      return everybody()[anybody()].where.as<hash_tag>();
    case 1:
      if (!models_.empty()) return models_[d_.below(models_.size())].as<hash_tag>();
      break;
    case 2:
      if (!claimed_.empty()) return claimed_[d_.below(claimed_.size())].as<hash_tag>();
      break;
    default:
      break;
  }
  return id_from(d_.next());
}

void actors::transfer() {
  const auto from = anybody();
  const auto to = d_.chance(97) ? everybody()[anybody()].where : id_from<address>(d_.below(50));
  send(from, tx::transfer{to, {amount_of(from)}});
}

void actors::again() {
  if (serial_ == 0) return;
  step s;
  s.kind = step::what::replay;
  s.serial = d_.chance(70) ? serial_ - d_.below(std::min<std::uint64_t>(serial_, 60))
                           : 1 + d_.below(serial_);
  steps_.push_back(std::move(s));
}

std::size_t actors::member() {
  const auto& seats = rows_.committee().seats;
  const auto person = person_at(seats[d_.below(seats.size())].member);
  return person && d_.chance(95) ? *person : anybody();
}

void actors::each_member(const transaction_kind& body, std::uint64_t percent) {
  for (const auto& seat : rows_.committee().seats) {
    const auto person = person_at(seat.member);
    if (person && d_.chance(percent)) send(*person, body);
  }
}

pool_owner actors::some_pool() {
  if (d_.chance(hostile_percent_ / 2)) {
    const auto id = strange_id();
    if (d_.chance(50)) return id.as<model_tag>();
    return id.as<address_tag>();
  }
  if (models_.empty() || d_.chance(40)) {
    const auto& all = rows_.validators.rows;
    return std::next(all.begin(), static_cast<std::ptrdiff_t>(d_.below(all.size())))->first;
  }
  return models_[d_.below(models_.size())];
}

std::optional<stake_position> actors::some_position() {
  const auto& all = rows_.stakes.rows;
  if (all.empty()) return std::nullopt;
  auto at = all.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(d_.below(std::min<std::size_t>(all.size(), 64))));
  return at->first;
}

void actors::deposit() {
  const auto who = anybody();
  send(who, tx::add_stake{some_pool(), {amount_of(who)}});
}

void actors::withdraw() {
  if (const auto position = d_.chance(60) ? some_position() : std::nullopt) {
    if (const auto holder = person_at(position->holder)) {
      const auto held = rows_.stakes.find(*position)->shares;
      if (held == 0 && d_.chance(80)) return;
      const auto shares = d_.chance(hostile_percent_) ? strange_amount()
                          : d_.chance(40)             ? held
                                                      : d_.below(held + 1);
      send(*holder, tx::withdraw_stake{position->pool, shares});
      return;
    }
  }
  const auto whose = some_pool();
  const auto* pool = rows_.pool(whose);
  std::size_t owner = anybody();
  if (const auto* who = std::get_if<address>(&whose)) {
    owner = person_at(*who).value_or(owner);
  } else if (const auto* row = rows_.models.find(std::get<model_id>(whose))) {
    owner = person_at(row->owner).value_or(owner);
  }
  const auto held = pool != nullptr ? pool->owner_shares : 5;
  send(owner, tx::withdraw_stake{whose, d_.chance(50) ? held : d_.below(held / 4 + 2)});
}

void actors::change_commission() {
  const auto whose = some_pool();
  std::size_t owner = anybody();
  std::uint32_t now = 0;
  if (const auto* who = std::get_if<address>(&whose)) {
    if (const auto* row = rows_.validators.find(*who)) now = row->commission_bps;
    owner = person_at(*who).value_or(owner);
  } else if (const auto* row = rows_.models.find(std::get<model_id>(whose))) {
    now = row->commission_bps;
    owner = person_at(row->owner).value_or(owner);
  }
  if (d_.chance(10)) owner = anybody();
  const auto bps =
      d_.chance(15) ? static_cast<std::uint32_t>(strange_amount())
                    : static_cast<std::uint32_t>(d_.below(now + p_.max_commission_step_bps + 200));
  send(owner, tx::set_commission{whose, bps});
}

signature actors::possession(std::size_t key, std::size_t person) {
  const auto [found, is_new] = possessions_.try_emplace({key, person});
  if (is_new) {
    found->second =
        signing::prove_possession(everybody()[key].keys, in_.chain(), everybody()[person].where);
  }
  return found->second;
}

void actors::join() {
  const auto who = d_.chance(85) ? first_validator + d_.below(8) : anybody();
  const auto* row = rows_.validators.find(everybody()[who].where);
  if (row != nullptr && row->wants_seat && d_.chance(50)) return;
  const auto key = d_.chance(60) ? who : d_.below(key_count);
  tx::join_committee t;
  t.consensus_key = everybody()[key].keys.public_half();
  t.proof_of_possession = possession(key, who);
  if (d_.chance(hostile_percent_)) t.proof_of_possession[d_.below(64)] ^= 4;
  if (d_.chance(hostile_percent_)) t.consensus_key = {};
  t.stake = {d_.chance(70) ? p_.min_validator_stake.value + d_.below(shannons_per_soma)
                           : amount_of(who)};
  if (row != nullptr && d_.chance(50)) t.stake = {};
  send(who, t);
}

void actors::leave() {
  send(d_.chance(90) ? first_validator + d_.below(8) : anybody(), tx::leave_committee{});
}

void actors::commit_onion() {
  const auto who = d_.chance(90) ? member() : anybody();
  const auto& seats = rows_.committee().seats;
  const auto seat = std::ranges::find(seats, everybody()[who].where, &committee_seat::member);
  tx::commit_onion t;
  t.number = d_.below(1'000);
  t.layer = outermost_layer(seat == seats.end() ? who : key_at(seat->consensus_key), t.number);
  if (d_.chance(hostile_percent_)) t.layer = d_.chance(50) ? hash256{} : strange_id();
  send(who, t);
}

tx::report_equivocation actors::conflicting_votes(std::size_t key) {
  const auto& keys = everybody()[key].keys;
  const auto now = rows_.chain.epoch.value;
  vote_statement a;
  a.epoch = {d_.chance(5) ? now + 1 : now - std::min(now, d_.below(d_.chance(10) ? 5 : 2))};
  a.view = {d_.below(6)};
  a.kind = static_cast<vote_kind>(1 + d_.below(3));
  if (a.kind != vote_kind::skip) a.block = id_from<block_id>(1);
  vote_statement b = a;
  if (a.kind == vote_kind::skip) {
    b.kind = vote_kind::finalize;
    b.block = id_from<block_id>(2);
  } else if (a.kind == vote_kind::finalize && d_.chance(30)) {
    b.kind = vote_kind::skip;
    b.block = {};
  } else {
    b.block = id_from<block_id>(2);
  }
  if (d_.chance(4)) b = a;
  if (d_.chance(4)) ++b.view;
  if (d_.chance(4)) ++b.epoch.value;
  return {keys.public_half(), encode(a), signing::sign_vote(keys, in_.chain(), a), encode(b),
          signing::sign_vote(keys, in_.chain(), b)};
}

tx::report_equivocation actors::conflicting_headers(std::size_t key) {
  const auto& keys = everybody()[key].keys;
  block_header a;
  a.chain = d_.chance(95) ? in_.chain() : id_from<chain_id>(3);
  a.epoch = {rows_.chain.epoch.value - std::min(rows_.chain.epoch.value, d_.below(2))};
  a.view = {d_.below(6)};
  block_header b = a;
  b.time_ms = 1;
  return {keys.public_half(), encode(a), signing::sign_block(keys, signing::id_of(a)), encode(b),
          signing::sign_block(keys, signing::id_of(b))};
}

void actors::spoil(tx::report_equivocation& r) {
  switch (d_.below(5)) {
    case 0:
      r.first_statement[d_.below(r.first_statement.size())] ^= 1;
      break;
    case 1:
      r.second_statement.clear();
      break;
    case 2:
      r.second_signature[d_.below(64)] ^= 1;
      break;
    case 3:
      r.signer = everybody()[d_.below(key_count)].keys.public_half();
      break;
    default:
      std::swap(r.first_statement, r.second_statement);
  }
}

void actors::report() {
  const auto who = anybody();
  if (!reports_.empty() && d_.chance(60)) {
    send(who, reports_[d_.below(reports_.size())]);
    return;
  }
  const auto key = d_.chance(90) ? first_validator + d_.below(8) : d_.below(key_count);
  auto r = d_.chance(70) ? conflicting_votes(key) : conflicting_headers(key);
  if (d_.chance(20)) spoil(r);
  reports_.push_back(r);
  if (reports_.size() > 6) reports_.pop_front();
  send(who, std::move(r));
}

}  // namespace soma::test
