// The invariants after every block of any world. They are checked from the rows and from the events
// of the block, without asking the rules. Sums are updated with each block's row changes, and from
// time to time compared with a count of all rows.
#pragma once

#include <map>
#include <set>
#include <unordered_map>

#include "actors/rules/execution.hpp"
#include "tests/actors/rules/worlds/mirror.hpp"

namespace soma::test {

/// Protocol §7 and §8: the states of a target in order, and its payments.
class target_histories {
 public:
  void check(const rules::effects& done, const mirror& rows);
  /// Checks that the changed rows agree with the events.
  void compare(const mirror& rows) const;

 private:
  struct history {
    target_status status = target_status::open;
    bool submitter_paid = false, model_paid = false, bond_ended = false;
    shannons paid, to_submitter, bond_back, bond_lost, to_voters;
    std::set<address> voters_paid;
  };
  void follow(const event& e);
  void follow_end(history& h, const event& e);
  void check_end(const history& h, const target_row& target, const submission_row* s) const;
  void check_verdict(const mirror& rows) const;
  std::unordered_map<target_id, history> all_;
};

/// Protocol §6: the states of models and of their versions in order.
class model_histories {
 public:
  void check(const rules::effects& done, const mirror& rows);

 private:
  struct history {
    address owner;
    model_status status = model_status::committed;
    std::map<std::uint32_t, version_status> versions;
    std::uint32_t active_version = 0;
    bool silent = false;  // it was slashed for a missed reveal in this block
  };
  void follow(const event& e);
  void commit(const event& e);
  std::map<model_id, history> all_;
};

/// Protocol §4: shares add up, and prices do not fall.
class pool_watch {
 public:
  void begin(const mirror& rows);
  void check(const rules::effects& done, const mirror& rows);
  void check_all(const mirror& rows) const;

 private:
  void check_pool(const mirror& rows, const pool_owner& whose) const;
  void check_price(const rules::effects& done, const pool_owner& whose, const stake_pool& before,
                   const stake_pool& after) const;
  std::map<pool_owner, std::uint64_t> holders_;  // the shares of all holders except the owner
};

/// Protocol §5: which validators have a seat, with which power, and which are punished.
class committee_watch {
 public:
  explicit committee_watch(const soma::genesis& genesis) : p_(genesis.parameters) {}
  void begin(const mirror& rows);
  void check(const rules::block_input& block, const rules::effects& done, const mirror& rows);

 private:
  void check_seats(const mirror& rows) const;
  void check_stakes(const mirror& rows) const;
  void check_votes(const mirror& rows) const;
  void check_reports(const rules::block_input& block, const rules::effects& done,
                     const mirror& rows) const;
  void remember(const mirror& rows);
  genesis_parameters p_;
  std::map<epoch_number, std::set<address>> seated_;
  std::map<address, voting_power> powers_;  // the powers of this epoch
};

/// Every total in the chain row is the sum of its rows, and no amount is above the cap.
class money_watch {
 public:
  /// Adds the changed rows, at the beginning all rows, and compares.
  void take(const mirror& rows);

 private:
  void add_changes(const mirror& rows);
  std::uint64_t balances_ = 0, staked_ = 0, joining_ = 0, unbonding_ = 0, bonds_ = 0,
                set_aside_ = 0;
};

/// Everything that waits for the end of an epoch is on that epoch's agenda, so that nothing is
/// locked without an end.
class agenda_watch {
 public:
  explicit agenda_watch(const soma::genesis& genesis) : p_(genesis.parameters) {}
  void check(const mirror& rows) const;
  void check_all(const mirror& rows) const;

 private:
  void check_position(const mirror& rows, const stake_position& position) const;
  void check_target(const mirror& rows, const target_id& target) const;
  void check_model(const mirror& rows, const model_id& model) const;
  void check_validator(const mirror& rows, const address& who) const;
  genesis_parameters p_;
};

/// Protocol §4 and §8: how fast commissions rise, when data is revealed, and what a bond is.
class schedule_watch {
 public:
  explicit schedule_watch(const soma::genesis& genesis) : p_(genesis.parameters) {}
  void check(const mirror& rows) const;

 private:
  genesis_parameters p_;
};

/// Protocol §3 and §7: the emission, the pot of the targets, and the steps of the difficulty.
class pot_watch {
 public:
  explicit pot_watch(const soma::genesis& genesis) : p_(genesis.parameters) {}
  void check(const rules::effects& done, const mirror& rows) const;

 private:
  [[nodiscard]] std::uint64_t slices() const;
  [[nodiscard]] shannons for_targets(shannons emission) const;
  void check_flows(const rules::effects& done, const mirror& rows) const;
  void check_emission(const rules::effects& done, const mirror& rows) const;
  void check_targets(const rules::effects& done, const mirror& rows) const;
  void check_slices(const rules::effects& done, const mirror& rows) const;
  genesis_parameters p_;
};

class invariants {
 public:
  explicit invariants(const soma::genesis& genesis)
      : committee_(genesis), agenda_(genesis), schedule_(genesis), pot_(genesis) {}
  void begin(const mirror& rows);
  void check(const rules::block_input& block, const rules::effects& done, const mirror& rows);
  void check_all(const mirror& rows) const;

 private:
  money_watch money_;
  pool_watch pools_;
  committee_watch committee_;
  agenda_watch agenda_;
  schedule_watch schedule_;
  pot_watch pot_;
  target_histories targets_;
  model_histories models_;
};

}  // namespace soma::test
