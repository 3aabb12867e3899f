// The transactions of the people about models and targets.
#include <limits>

#include "actors/ledger/vote_tally.hpp"
#include "actors/rules/audit.hpp"
#include "actors/rules/models.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/rules/worlds/actors.hpp"
#include "tests/actors/rules/worlds/people.hpp"

namespace soma::test {

std::vector<float> actors::embedding() {
  std::vector<float> values(p_.architecture.dim);
  for (auto& value : values) value = static_cast<float>(d_.below(1'000)) - 500.f;
  values[0] = 1.f;
  if (!d_.chance(8)) return values;
  switch (d_.below(6)) {
    case 0:
      values.push_back(1.f);
      break;
    case 1:
      values.clear();
      break;
    case 2:
      values[0] = std::numeric_limits<float>::quiet_NaN();
      break;
    case 3:
      values[0] = -std::numeric_limits<float>::infinity();
      break;
    case 4:
      values.assign(values.size(), d_.chance(50) ? -0.f : 1e-30f);
      break;
    default:
      values[0] = 3e38f;
  }
  return values;
}

/// A model that is not inactive, if a few tries find one.
model_id actors::some_living_model() {
  model_id model;
  for (int tries = 0; tries < 4; ++tries) {
    model = models_[d_.below(models_.size())];
    const auto* row = rows_.models.find(model);
    if (row != nullptr && row->status != model_status::inactive) break;
  }
  return model;
}

tx::commit_model actors::draft(model_secret& secret) {
  auto& r = secret.reveal;
  const auto& known = rows_.known_weights.rows;
  const auto some_known = [&] {
    return std::next(known.begin(), static_cast<std::ptrdiff_t>(d_.below(known.size())))->first;
  };
  const bool copies = !known.empty() && d_.chance(hostile_percent_ / 2);
  r.weights = copies ? some_known().as<weights_tag>() : id_from<weights_hash>(d_.next());
  r.key = id_from(d_.next()).value;
  r.salt = id_from(d_.next());
  r.embedding = embedding();
  secret.committed_in = rows_.chain.epoch;
  tx::commit_model t;
  t.commitment = signing::model_commitment(r.weights, r.key, r.embedding, r.salt,
                                           everybody()[secret.owner].where);
  t.manifest = {rules::weights_bytes(p_.architecture) + 1 + d_.below(1u << 20),
                1u << 20,
                id_from<blob_id>(d_.next()),
                {}};
  if (!known.empty() && d_.chance(hostile_percent_ / 2))
    t.manifest.root = some_known().as<blob_tag>();
  t.stake = {p_.min_model_stake.value + d_.below(3 * shannons_per_soma)};
  t.commission_bps = static_cast<std::uint32_t>(d_.below(3) * 400);
  if (d_.chance(hostile_percent_)) {
    switch (d_.below(4)) {
      case 0:
        t.manifest.size_bytes = d_.chance(50) ? 0 : t.manifest.size_bytes + (1u << 20);
        break;
      case 1:
        t.manifest.root = {};
        break;
      case 2:
        t.commission_bps = static_cast<std::uint32_t>(d_.next());
        break;
      default:
        t.stake = {strange_amount()};
    }
  }
  return t;
}

void actors::commit_model() {
  model_secret secret;
  secret.owner = anybody();
  const bool update = !models_.empty() && d_.chance(50);
  const auto model = update ? some_living_model() : model_id{};
  const auto* row = update ? rows_.models.find(model) : nullptr;
  if (row != nullptr && d_.chance(95)) secret.owner = person_at(row->owner).value_or(0);
  auto t = draft(secret);
  if (update) {
    if (row != nullptr && d_.chance(80))
      t.commission_bps = static_cast<std::uint32_t>(d_.below(row->commission_bps + 100));
    if (d_.chance(50)) t.stake = {};
    t.model = d_.chance(97) ? model : strange_id().as<model_tag>();
    secret.reveal.model = *t.model;
  }
  const auto& sent = send(secret.owner, std::move(t));
  if (!update) {
    secret.reveal.model = signing::model_id_of(name_of_transaction(in_.seed(), sent.serial));
    models_.push_back(secret.reveal.model);
    if (models_.size() > 40) models_.erase(models_.begin());
  }
  model_secrets_.push_back(std::move(secret));
  if (model_secrets_.size() > 30) model_secrets_.pop_front();
}

void actors::reveal_models() {
  const auto now = rows_.chain.epoch;
  for (const auto& secret : model_secrets_) {
    const bool due = secret.committed_in.next() == now;
    if (!d_.chance(due ? 50 : 2)) continue;
    auto r = secret.reveal;
    if (d_.chance(hostile_percent_ / 3)) r.salt.value[3] ^= 1;
    if (d_.chance(hostile_percent_ / 3)) r.model = strange_id().as<model_tag>();
    if (d_.chance(hostile_percent_ / 3)) r.embedding = embedding();
    send(secret.owner, std::move(r));
  }
}

void actors::retire_model() {
  if (models_.empty()) return;
  const auto model = models_[d_.below(models_.size())];
  const auto* row = rows_.models.find(model);
  const auto who = row != nullptr && d_.chance(90) ? person_at(row->owner).value_or(0) : anybody();
  send(who, tx::retire_model{d_.chance(95) ? model : strange_id().as<model_tag>()});
}

/// A model with a version on trial, if there is one among some of them.
std::optional<model_id> actors::some_model_on_trial() {
  for (int tries = 0; tries < 12; ++tries) {
    const auto model = models_[d_.below(models_.size())];
    const auto* row = rows_.models.find(model);
    if (row == nullptr || row->status == model_status::inactive) continue;
    if (rows_.versions.find({model, row->latest_version})->status == version_status::revealed)
      return model;
  }
  return std::nullopt;
}

void actors::judge_model() {
  if (models_.empty()) return;
  tx::vote_on_model vote;
  if (const auto model = some_model_on_trial(); model && d_.chance(80)) {
    vote.version = {*model, rows_.models.find(*model)->latest_version};
    if (d_.chance(bad_percent_ / 4)) vote.verdict = static_cast<model_verdict>(1 + d_.below(4));
    const auto& votes = rows_.versions.find(vote.version)->votes;
    for (const auto& seat : rows_.committee().seats) {
      const auto person = person_at(seat.member);
      const bool is_new = !ledger::has_voted(votes, seat.member);
      if (person && d_.chance(is_new ? 70 : 3)) send(*person, vote);
    }
    return;
  }
  vote.version.model = some_living_model();
  const auto* row = rows_.models.find(vote.version.model);
  vote.version.version = row == nullptr  ? 1
                         : d_.chance(50) ? row->latest_version
                         : d_.chance(80) ? row->active_version
                                         : static_cast<std::uint32_t>(d_.below(4));
  if (d_.chance(hostile_percent_ / 4)) vote.version.model = strange_id().as<model_tag>();
  const bool bad = d_.chance(bad_percent_);
  vote.verdict = bad ? static_cast<model_verdict>(1 + d_.below(4)) : model_verdict::good;
  if (d_.chance(25)) {
    each_member(vote, 90);
  } else {
    send(member(), vote);
  }
}

void actors::claim() {
  const auto& open = rows_.live(target_status::open);
  const auto& filled = rows_.live(target_status::filled);
  const bool wrong = open.empty() || d_.chance(3);
  if (wrong && filled.empty() && claimed_.empty()) return;
  const auto& from = !wrong ? open : !filled.empty() ? filled : claimed_;
  const auto target = from[d_.below(from.size())];
  const auto& row = *rows_.targets.find(target);
  data_secret secret;
  secret.submitter = anybody();
  // The numbers are few, so that some data is found twice.
  secret.reveal = {target, id_from<data_hash>(d_.below(500)), id_from<blob_id>(d_.below(100)),
                   id_from(d_.next())};
  tx::claim_target t;
  t.target = target;
  t.winner = row.assigned[d_.below(row.assigned.size())];
  t.loss_bits = 0x3f800000u + static_cast<std::uint32_t>(d_.below(1u << 20));
  t.distance_q30 = static_cast<std::uint32_t>(d_.below(row.radius_q30 + 1ull));
  const auto largest = rules::largest_data_bytes(p_);
  t.size_bytes = 1 + d_.below(std::min<std::uint64_t>(largest, 2'000));
  t.commitment = signing::data_commitment(secret.reveal.data, secret.reveal.blob, t.size_bytes,
                                          secret.reveal.salt, everybody()[secret.submitter].where);
  if (d_.chance(hostile_percent_)) {
    switch (d_.below(7)) {
      case 0:
        t.target = strange_id().as<target_tag>();
        break;
      case 1:
        ++t.winner.version;
        break;
      case 2:
        t.loss_bits =
            d_.chance(50) ? 0x7fc00000u : 0x80000000u | static_cast<std::uint32_t>(d_.next());
        break;
      case 3:
        t.distance_q30 = static_cast<std::uint32_t>(d_.next());
        break;
      case 4:
        t.size_bytes = strange_amount();
        break;
      case 5:
        t.distance_q30 = row.radius_q30 + 1;
        break;
      default:
        t.size_bytes = largest + d_.below(2);
    }
  }
  send(secret.submitter, t);
  claimed_.push_back(target);
  if (claimed_.size() > 64) claimed_.erase(claimed_.begin());
  data_secrets_.push_back(std::move(secret));
  if (data_secrets_.size() > 24) data_secrets_.pop_front();
}

void actors::reveal_data() {
  if (data_secrets_.empty()) return;
  const auto at = d_.below(data_secrets_.size());
  const auto& secret = data_secrets_[at];
  auto r = secret.reveal;
  if (d_.chance(hostile_percent_ / 3)) r.salt.value[0] ^= 1;
  if (d_.chance(hostile_percent_ / 3)) r.target = strange_id().as<target_tag>();
  const auto& filled = rows_.live(target_status::filled);
  if (d_.chance(5) && !filled.empty()) r.target = filled[d_.below(filled.size())];
  send(secret.submitter, std::move(r));
  if (d_.chance(50)) data_secrets_.erase(data_secrets_.begin() + static_cast<std::ptrdiff_t>(at));
}

void actors::audit() {
  const auto& revealed = rows_.live(target_status::revealed);
  const bool late = revealed.empty() || d_.chance(10);
  if (late && claimed_.empty()) return;
  const auto& from = late ? claimed_ : revealed;
  tx::vote_on_submission vote;
  vote.target = from[d_.below(from.size())];
  if (d_.chance(hostile_percent_ / 4)) vote.target = strange_id().as<target_tag>();
  vote.verdict =
      d_.chance(bad_percent_) ? static_cast<audit_verdict>(1 + d_.below(5)) : audit_verdict::ok;
  if (rows_.committee().seats.size() > rules::audit_draws && !late && d_.chance(60)) {
    say_ok_if_called(vote.target);
  } else if (d_.chance(50)) {
    each_member(vote, 85);
  } else {
    send(member(), vote);
  }
}

/// Those that the audit calls say `ok`, nearly all of them.
void actors::say_ok_if_called(const target_id& target) {
  const auto* s = rows_.submissions.find(target);
  if (s == nullptr || !s->revealed_at) return;
  for (const auto& seat : rows_.committee().seats) {
    const auto person = person_at(seat.member);
    if (person && rules::is_called(p_, *s, rows_.committee(), rows_.chain, seat.member) &&
        !ledger::has_voted(s->votes, seat.member) && d_.chance(95)) {
      send(*person, tx::vote_on_submission{target, audit_verdict::ok});
    }
  }
}

}  // namespace soma::test
