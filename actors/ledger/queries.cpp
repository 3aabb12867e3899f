#include "actors/ledger/queries.hpp"

#include "actors/ledger/vote_tally.hpp"

namespace soma::ledger {
namespace {

template <class Row>
std::optional<Row> read(const state_reader& state, const row_key& key) {
  const auto value = state.find(key);
  if (!value) return std::nullopt;
  return row_traits<Row>::decode(*value);
}

/// At most `limit` rows for which `wanted` holds, by key: those with the smallest keys, in whatever
/// order the scan yields them.
template <class Row, class Predicate>
auto collect(const state_reader& state, ledger_table table, std::size_t limit, Predicate wanted) {
  using traits = row_traits<Row>;
  std::map<typename traits::key_type, Row> found;
  state.scan(table_prefix(table), [&](byte_view key, byte_view value) {
    const auto id = traits::parse_key(key);
    if (found.size() == limit && (limit == 0 || found.rbegin()->first < id)) return;
    Row row = traits::decode(value);
    if (!wanted(id, row)) return;
    found.emplace(id, std::move(row));
    if (found.size() > limit) found.erase(std::prev(found.end()));
  });
  return found;
}

template <class Row, class Amount>
bool sum_rows(const state_reader& state, ledger_table table, shannons& total, Amount amount) {
  bool fits = true;
  state.scan(table_prefix(table), [&](byte_view key, byte_view value) {
    const auto sum = add(total, amount(key, row_traits<Row>::decode(value)));
    fits = fits && sum.has_value();
    total = sum.value_or(total);
  });
  return fits;
}

bool awaits_end(target_status s) {
  return s == target_status::filled || s == target_status::revealed;
}

}  // namespace

chain_row read_chain(const state_reader& state) {
  auto row = read<chain_row>(state, chain_key());
  SOMA_ASSERT(row.has_value(), "the ledger begins with the rows of genesis");
  return *row;
}
std::optional<account_row> read_account(const state_reader& state, const address& who) {
  return read<account_row>(state, account_key(who));
}
std::optional<validator_row> read_validator(const state_reader& state, const address& who) {
  return read<validator_row>(state, validator_key(who));
}
std::optional<model_row> read_model(const state_reader& state, const model_id& model) {
  return read<model_row>(state, model_key(model));
}
std::optional<model_version_row> read_version(const state_reader& state,
                                              const model_version_ref& version) {
  return read<model_version_row>(state, model_version_key(version));
}
std::optional<target_row> read_target(const state_reader& state, const target_id& target) {
  return read<target_row>(state, target_key(target));
}
std::optional<submission_row> read_submission(const state_reader& state, const target_id& target) {
  return read<submission_row>(state, submission_key(target));
}

std::vector<listed_target> open_targets(const state_reader& state, std::size_t limit) {
  std::vector<listed_target> list;
  for (auto& [id, row] : collect<target_row>(
           state, ledger_table::target, limit,
           [](const auto&, const target_row& t) { return t.status == target_status::open; })) {
    list.push_back({id, std::move(row)});
  }
  return list;
}

std::vector<listed_model> active_model_rows(const state_reader& state, std::size_t limit) {
  std::vector<listed_model> list;
  for (auto& [id, row] : collect<model_row>(
           state, ledger_table::model, limit,
           [](const auto&, const model_row& m) { return m.status == model_status::active; })) {
    auto version = read_version(state, {id, row.active_version});
    SOMA_ASSERT(version.has_value(), "an active model has its active version");
    list.push_back({id, std::move(row), std::move(*version)});
  }
  return list;
}

std::vector<model_version_ref> unjudged_versions(const state_reader& state, const address& member,
                                                 std::size_t limit) {
  std::vector<model_version_ref> list;
  const auto wanted = [&](const model_version_ref& ref, const model_version_row& v) {
    if (v.status != version_status::revealed && v.status != version_status::active) return false;
    if (has_voted(v.votes, member)) return false;
    const auto model = read_model(state, ref.model);
    return model && model->status != model_status::inactive;
  };
  for (const auto& [ref, row] :
       collect<model_version_row>(state, ledger_table::model_version, limit, wanted))
    list.push_back(ref);
  return list;
}

std::vector<model_version_ref> versions_on_trial(const state_reader& state, const address& member) {
  std::vector<model_version_ref> list;
  const auto epoch = read_chain(state).epoch;
  const auto models = agenda_key({epoch, model_id{}});  // ends with the id
  state.scan(byte_view(models).first(10), [&](byte_view key, byte_view) {
    const auto id = std::get<model_id>(agenda_in_key(key)->subject);
    const auto model = read_model(state, id);
    if (!model || model->status == model_status::inactive) return;
    const model_version_ref latest{id, model->latest_version};
    const auto version = read_version(state, latest);
    if (version && version->status == version_status::revealed &&
        !has_voted(version->votes, member)) {
      list.push_back(latest);
    }
  });
  std::sort(list.begin(), list.end());
  return list;
}

std::vector<due_audit> undecided_audits(const state_reader& state, const address& member) {
  std::vector<due_audit> list;
  const auto epoch = read_chain(state).epoch;
  const auto targets = agenda_key({epoch, target_id{}});  // ends with the id
  state.scan(byte_view(targets).first(10), [&](byte_view key, byte_view) {
    const auto id = std::get<target_id>(agenda_in_key(key)->subject);
    const auto target = read_target(state, id);
    if (!target || target->status != target_status::revealed) return;
    const auto submission = read_submission(state, id);
    if (submission && !has_voted(submission->votes, member))
      list.push_back({id, *target, *submission});
  });
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return list;
}

committee_row read_committee(const state_reader& state) {
  auto row = read<committee_row>(state, committee_key());
  SOMA_ASSERT(row.has_value(), "the ledger begins with the rows of genesis");
  return *row;
}

std::optional<onion_row> read_onion(const state_reader& state, const public_key& key) {
  return read<onion_row>(state, onion_key(key));
}

std::optional<committee_seat> find_seat(const state_reader& state, const address& member) {
  for (const auto& seat : read_committee(state).seats) {
    if (seat.member == member) return seat;
  }
  return std::nullopt;
}

seat_index seat_of(std::span<const committee_seat> seats, const address& member) {
  for (std::size_t i = 0; i < seats.size(); ++i) {
    if (seats[i].member == member) return {static_cast<std::uint16_t>(i)};
  }
  return {};
}

std::optional<std::vector<address>> members_at(std::span<const committee_seat> seats,
                                               const signer_set& signers) {
  std::vector<address> all;
  for (const auto seat : signers.members()) {
    if (seat.value >= seats.size()) return std::nullopt;
    all.push_back(seats[seat.value].member);
  }
  return all;
}

std::optional<stake_row> read_stake(const state_reader& state, const stake_position& position) {
  return read<stake_row>(state, stake_key(position));
}

std::optional<money_count> count_money(const state_reader& state) {
  money_count money;
  bool fits = true;
  const auto sum = [&]<class Row>(ledger_table table, shannons& total, auto amount) {
    fits = sum_rows<Row>(state, table, total, amount) && fits;
  };
  sum.operator()<account_row>(ledger_table::account, money.balances,
                              [](auto, const auto& a) { return a.balance; });
  sum.operator()<validator_row>(ledger_table::validator, money.staked,
                                [](auto, const auto& v) { return v.pool.stake; });
  sum.operator()<model_row>(ledger_table::model, money.staked,
                            [](auto, const auto& m) { return m.pool.stake; });
  sum.operator()<stake_row>(ledger_table::stake, money.joining,
                            [](auto, const auto& s) { return s.joining; });
  sum.operator()<stake_row>(ledger_table::stake, money.unbonding, [](auto, const stake_row& s) {
    shannons all;
    for (const auto& part : s.unbonding) all = add(all, part.amount).value_or(supply_cap);
    return all;
  });
  // The pools know what slashes have taken of the amounts that others than their owners withdrew.
  shannons slashed;
  const auto lost = [](const auto& row) {
    shannons all;
    for (const auto& batch : row.pool.unbonding) {
      all = add(all, subtract(batch.amount, batch.kept).value_or(supply_cap)).value_or(supply_cap);
    }
    return all;
  };
  sum.operator()<validator_row>(ledger_table::validator, slashed,
                                [&](auto, const auto& v) { return lost(v); });
  sum.operator()<model_row>(ledger_table::model, slashed,
                            [&](auto, const auto& m) { return lost(m); });
  const auto waiting = subtract(money.unbonding, slashed);
  fits = fits && waiting;
  money.unbonding = waiting.value_or(supply_cap);
  sum.operator()<target_row>(ledger_table::target, money.set_aside, [](auto, const target_row& t) {
    return t.status == target_status::open || awaits_end(t.status) ? t.reward : shannons{};
  });
  sum.operator()<submission_row>(
      ledger_table::submission, money.bonds, [&](byte_view key, const submission_row& s) {
        const auto target = read_target(state, row_traits<submission_row>::parse_key(key));
        return target && awaits_end(target->status) ? s.bond : shannons{};
      });
  if (!fits) return std::nullopt;
  return money;
}

bool supply_is_whole(const state_reader& state) {
  const chain_row chain = read_chain(state);
  const auto counted = count_money(state);
  return counted && *counted == money_count{chain.balances,  chain.staked, chain.joining,
                                            chain.unbonding, chain.bonds,  chain.set_aside} &&
         total_of(chain) == supply_cap;
}

}  // namespace soma::ledger
