// The invariants after every block of any world. They are checked from the rows and from the events
// of the block, without asking the rules. Sums are updated with each block's row changes, and from
// time to time compared with a count of all rows.
#pragma once

#include <map>
#include <set>
#include <unordered_map>

#include "actors/rules/execution.hpp"
#include "tests/actors/rules/worlds/coverage.hpp"
#include "tests/actors/rules/worlds/mirror.hpp"

namespace soma::test {

/// Protocol §5.5: the powers of the members whose votes decide in a block. The end of an epoch is
/// decided by the committee that it dismisses.
class deciding_powers {
 public:
  /// Called once a block, before anything is asked.
  void next(const mirror& rows);
  template <class Verdict, class Predicate>
  [[nodiscard]] std::uint64_t where(const std::vector<cast_vote<Verdict>>& votes,
                                    Predicate wanted) const {
    std::uint64_t sum = 0;
    for (const auto& vote : votes) {
      const auto found = now_.find(vote.voter);
      if (found != now_.end() && wanted(vote.verdict)) sum += found->second;
    }
    return sum;
  }

 private:
  std::map<address, std::uint64_t> now_, coming_;
};

/// Protocol §7 and §8: the states of a target in order, and its payments.
class target_histories {
 public:
  void check(const rules::effects& done, const mirror& rows, const deciding_powers& powers);
  /// Checks that the changed rows agree with the events.
  void compare(const mirror& rows, const deciding_powers& powers) const;
  [[nodiscard]] const taken_steps& steps() const { return steps_; }

 private:
  struct history {
    target_status status = target_status::open;
    std::optional<void_reason> voided;
    bool submitter_paid = false, model_paid = false, bond_ended = false;
    shannons paid, to_submitter, bond_back, bond_lost, to_voters;
    std::set<address> voters_paid;
  };
  void follow(const event& e);
  void follow_end(history& h, const event& e);
  void check_end(const history& h, const target_row& target, const submission_row* s) const;
  void check_verdict(const mirror& rows, const deciding_powers& powers) const;
  std::unordered_map<target_id, history> all_;
  taken_steps steps_;
};

/// Protocol §6: the states of models and of their versions in order.
class model_histories {
 public:
  void check(const rules::effects& done, const mirror& rows, const deciding_powers& powers);
  [[nodiscard]] const taken_steps& steps() const { return steps_; }

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
  void step_model(history& h, model_status to);
  void step_version(history& h, std::uint32_t number, version_status to);
  void check_version(const mirror_table<model_version_row>::delta& c, const mirror& rows,
                     const deciding_powers& powers) const;
  std::map<model_id, history> all_;
  taken_steps steps_;
};

/// Protocol §4: shares add up, and prices do not fall.
class pool_watch {
 public:
  explicit pool_watch(const soma::genesis& genesis) : p_(genesis.parameters) {}
  void begin(const mirror& rows);
  void check(const rules::effects& done, const mirror& rows);
  void check_all(const mirror& rows) const;

 private:
  void check_pool(const mirror& rows, const pool_owner& whose) const;
  void check_price(const rules::effects& done, const pool_owner& whose, const stake_pool& before,
                   const stake_pool& after) const;
  void check_slash(const rules::effects& done, const mirror& rows, const pool_owner& whose,
                   const stake_pool& before, const stake_pool& after) const;
  void check_remainder(const rules::effects& done, const mirror& rows,
                       const mirror_table<stake_row>::delta& c) const;
  genesis_parameters p_;
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
  void check_reports(const rules::block_input& block, const rules::effects& done) const;
  void remember(const mirror& rows);
  genesis_parameters p_;
  std::map<epoch_number, std::map<public_key, address>> seated_;  // by the key that signs
  std::map<address, voting_power> powers_;                        // the powers of this epoch
};

/// Protocol §8.3.5: which members an audit calls, and what follows from it.
class sample_watch {
 public:
  explicit sample_watch(const soma::genesis& genesis) : p_(genesis.parameters) {}
  void begin(const mirror& rows);
  void check(const rules::effects& done, const mirror& rows);
  /// How many submissions a sample has decided so far.
  [[nodiscard]] std::uint64_t samples() const { return samples_; }

 private:
  [[nodiscard]] std::map<address, std::uint32_t> drawn(const submission_row& s) const;
  [[nodiscard]] bool calls_all(const submission_row& s, const mirror& rows) const;
  void check_votes(const submission_row& s, std::size_t old_votes, const mirror& rows) const;
  void check_decision(const submission_row& s, target_status status, const mirror& rows) const;
  [[nodiscard]] bool is_owed(const submission_row& s, target_status status,
                             const mirror& rows) const;
  void check_due(const std::map<address, std::uint64_t>& more, const rules::effects& done,
                 const mirror& rows) const;
  genesis_parameters p_;
  std::vector<committee_seat> seats_;  // of the committee that the next block finds
  std::uint64_t samples_ = 0;
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
  [[nodiscard]] shannons least_reward(const chain_row& chain) const;
  void check_flows(const rules::effects& done, const mirror& rows) const;
  void check_emission(const rules::effects& done, const mirror& rows) const;
  void check_targets(const rules::effects& done, const mirror& rows) const;
  void check_slices(const rules::effects& done, const mirror& rows) const;
  genesis_parameters p_;
};

/// Protocol §11.6: the lists of the state hold what the other rows say, and have no gaps.
class list_watch {
 public:
  /// Adds the changed rows, at the beginning all rows, and compares.
  void take(const mirror& rows);

 private:
  struct ids {
    std::set<hash256> wanted, listed;
  };
  ids models_, targets_;
};

class invariants {
 public:
  explicit invariants(const soma::genesis& genesis)
      : pools_(genesis),
        committee_(genesis),
        samples_(genesis),
        agenda_(genesis),
        schedule_(genesis),
        pot_(genesis) {}
  void begin(const mirror& rows);
  void check(const rules::block_input& block, const rules::effects& done, const mirror& rows);
  void check_all(const mirror& rows) const;
  /// The steps of models, versions and targets so far.
  [[nodiscard]] std::set<life_step> steps() const;
  [[nodiscard]] std::uint64_t samples() const { return samples_.samples(); }

 private:
  deciding_powers powers_;
  money_watch money_;
  pool_watch pools_;
  committee_watch committee_;
  sample_watch samples_;
  agenda_watch agenda_;
  schedule_watch schedule_;
  pot_watch pot_;
  list_watch lists_;
  target_histories targets_;
  model_histories models_;
};

}  // namespace soma::test
