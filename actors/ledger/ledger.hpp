// The state while a block runs: each table as an overlay over the stored rows, and the pots in
// which money lies (protocol §3.1). Money moves only by `move`, from one place to another, so that
// no rule can create or lose a shannon. The sum of all pots is checked after every block, in
// release builds too.
#pragma once

#include <variant>

#include "actors/ledger/overlay.hpp"

namespace soma::ledger {

/// The pots. The chain row has the total of each pot; the first two pots are also divided among
/// owners.
enum class pot : std::uint8_t {
  balances,
  staked,
  joining,
  unbonding,
  bonds,
  set_aside,
  targets,
  validator_pay,
  unissued,
  burned
};

/// A pot; and, where the pot is divided, the owner of a part.
struct place {
  pot kind{};
  std::variant<std::monostate, address, model_id> owner;
};
[[nodiscard]] inline place balance_of(const address& who) {
  return {pot::balances, who};
}
[[nodiscard]] inline place stake_of(const pool_owner& pool) {
  return std::visit([](const auto& id) { return place{pot::staked, id}; }, pool);
}
[[nodiscard]] inline place of(pot kind) {
  return {kind, {}};
}

/// The sum of all pots of a chain row. It equals supply_cap in every valid state.
[[nodiscard]] std::optional<shannons> total_of(const chain_row& chain);

class block_state {
 public:
  /// `base` must outlive all reads; after `detach` it is not read any more.
  explicit block_state(const state_reader& base);

  [[nodiscard]] const chain_row& chain() const { return chain_; }
  /// Changes counters and parameters of the chain row. Amounts change only by `move`.
  template <class Change>
  void update_chain(Change change) {
    const chain_row before = chain_;
    change(chain_);
    assert_pots_equal(before);
  }

  overlay<account_row> accounts;
  overlay<validator_row> validators;
  overlay<model_row> models;
  overlay<model_version_row> versions;
  overlay<target_row> targets;
  overlay<submission_row> submissions;
  overlay<used_data_row> used_data;
  overlay<known_weights_row> known_weights;
  overlay<stake_row> stakes;
  overlay<agenda_row> agenda;
  overlay<consensus_key_row> consensus_keys;
  overlay<committee_row> committees;
  overlay<evidence_row> evidence;
  overlay<onion_row> onions;
  overlay<list_row> lists;

  /// Moves an amount and returns true. Protocol §1.9: an address that receives its first amount
  /// gets an account. Returns false and changes nothing when `from` holds less than that.
  [[nodiscard]] bool move(const place& from, const place& to, shannons amount);
  /// Moves an amount that is known to be there (asserted): for transitions of the system.
  void must_move(const place& from, const place& to, shannons amount);
  [[nodiscard]] shannons balance(const address& who) const;

  /// nullptr when there is no such validator or model.
  [[nodiscard]] const stake_pool* pool(const pool_owner& whose) const;
  /// Changes the pool's shares. Its stake changes only by `move`.
  template <class Change>
  void update_shares(const pool_owner& whose, Change change) {
    const auto apply = [&](auto& row) {
      const auto stake = row.pool.stake;
      change(row.pool);
      SOMA_ASSERT(row.pool.stake == stake, "stake changes by move alone");
    };
    if (const auto* model = std::get_if<model_id>(&whose)) {
      models.update(*model, apply);
    } else {
      validators.update(std::get<address>(whose), apply);
    }
  }

  /// The members of this epoch, in order of address.
  [[nodiscard]] const committee_row& committee() const { return committees.get({}); }
  /// 0 for an address that has no seat.
  [[nodiscard]] voting_power power_of(const address& who) const;

  struct savepoint {
    chain_row chain;
    std::array<std::size_t, 15> marks{};
  };
  /// Savepoints nest: the latest one is rolled back first.
  [[nodiscard]] savepoint mark() const;
  void rollback(const savepoint& to);
  /// The number of distinct rows written since the savepoint, without the chain row.
  [[nodiscard]] std::size_t rows_written(const savepoint& since) const;
  /// The bytes, of keys and values, of the rows that were not there at the savepoint and are now.
  [[nodiscard]] std::size_t bytes_of_new_rows(const savepoint& since) const;
  /// To be called between transactions: what came before it can no longer be rolled back.
  void commit();

  void detach();
  /// All changes, sorted by key, including the chain row.
  [[nodiscard]] std::vector<row_change> changes() const;

 private:
  template <class Self, class Visit>
  static void each_table(Self& self, Visit visit);
  [[nodiscard]] shannons& total(pot kind);
  [[nodiscard]] shannons available(const place& where) const;
  void adjust(const place& where, shannons amount, bool credit);
  void assert_pots_equal(const chain_row& before) const;

  chain_row chain_;
};

}  // namespace soma::ledger
