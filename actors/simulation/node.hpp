// One node of the simulated network: the agreement core and the machine under it. A node may crash
// and start again many times; the time from a start to the next crash is one lifecycle. The members
// marked as durable outlive a crash, and no others do.
#pragma once

#include <deque>

#include "actors/consensus/runner.hpp"
#include "actors/simulation/coverage.hpp"
#include "actors/simulation/pool.hpp"
#include "actors/simulation/safety_checker.hpp"
#include "actors/simulation/simulated_network.hpp"

namespace soma::simulation {

/// Checks signatures for the core.
class checker_port final : public consensus::signature_checker {
 public:
  explicit checker_port(const keyring& keys) : keys_(keys), chain_(keys.chain()) {}
  bool block_is_signed(const public_key& by, const block_id& block, const signature& s) override {
    return keys_.sign_block(by, block) == s && keys_.holder_of(by).has_value();
  }
  bool vote_is_signed(const public_key& by, const vote_statement& vote,
                      const signature& s) override {
    return keys_.sign_vote(by, vote, chain_) == s && keys_.holder_of(by).has_value();
  }

 private:
  const keyring& keys_;
  chain_id chain_;
};

/// Signs for the core with the node's key. A vote of a Byzantine node exists for the safety checker
/// as soon as it is signed; one of a correct node exists when it is durable.
class signer_port final : public consensus::signer {
 public:
  signer_port(const keyring& keys, safety_checker& all)
      : keys_(keys), all_(all), chain_(keys.chain()) {}
  void use(const public_key& key, bool correct) {
    key_ = key;
    correct_ = correct;
  }
  [[nodiscard]] const public_key& key() const override { return key_; }
  signature sign_block(const block_id& block) override { return keys_.sign_block(key_, block); }
  signature sign_vote(const vote_statement& vote) override {
    if (!correct_) all_.vote_exists(key_, vote, false);
    return keys_.sign_vote(key_, vote, chain_);
  }

 private:
  const keyring& keys_;
  safety_checker& all_;
  chain_id chain_;
  public_key key_{};
  bool correct_ = true;
};

/// The voting record of one key, as it lies on the disk.
struct stored_record {
  consensus::record_state state = consensus::record_state::fresh;
  voting_record record;
  /// The epoch in which the record was lost: its key must sign nothing more in it or before it.
  std::optional<std::uint64_t> lost_in_epoch;
};

struct pending_write {
  std::uint64_t ticket = 0;
  record_batch batch;
};

struct node {
  node(std::uint32_t number, const node_plan& p, const keyring& keys, const toy_chain& toy,
       safety_checker& all)
      : node_index(number),
        identity(p.identity),
        behaviours(p.behaviours),
        clock_offset_ms(p.clock_offset_ms),
        chain(keys, toy.genesis()),
        waiting(chain),
        signer(keys, all),
        checker(keys) {}

  std::uint32_t node_index;
  std::uint16_t identity;
  std::uint32_t behaviours;
  std::int64_t clock_offset_ms;
  std::optional<std::uint64_t> frozen_at_ms;

  // Durable.
  ledger chain;
  std::map<std::uint16_t, stored_record> records;  // by key version

  // Of the present lifecycle; `lifecycle` is its number.
  bool up = false;
  std::uint32_t lifecycle = 0;
  std::uint16_t key_version = 0;
  pool waiting;
  signer_port signer;
  checker_port checker;
  std::unique_ptr<consensus::effect_ports> machine;
  std::unique_ptr<consensus::runner> runner;
  const consensus::simplex* core = nullptr;  // the runner owns it
  std::deque<pending_write> writes;
  std::deque<consensus::commit> commits;
  std::map<block_id, executed_ptr> results;
  std::map<std::uint64_t, consensus::execution_result> answers;  // by ticket
  std::array<std::uint32_t, consensus::timer_kinds> timers{};    // generations
  node_set connected = 0;
  std::uint64_t disk_free_us = 0;
  std::uint64_t commit_free_us = 0;
  std::uint64_t steps = 0;
  std::uint64_t last_epoch = 0;
  view_number last_view;
  std::uint64_t last_height = 0;
  bool stopped = false;  // by an alarm that the plan made likely

  // What the plan and the scenario do to it.
  bool disk_full = false;
  std::uint64_t disk_slow_ms = 0;
  bool lies_executing = false;
  bool fails_executing = false;
  bool wants_out = false;  // stays down until its fault is over
  std::optional<crash_point> crash_where;
  std::uint32_t crash_in = 0;
  std::function<bool(const record_batch&)> crash_on;  // if set, only these writes count

  // What it did since the run began.
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_messages = 0;
  std::size_t max_held_bytes = 0;

  [[nodiscard]] bool correct() const { return behaviours == 0; }
  [[nodiscard]] bool does(behaviour b) const {
    return (behaviours & static_cast<std::uint32_t>(b)) != 0;
  }
  [[nodiscard]] stored_record& disk() { return records[key_version]; }
};

}  // namespace soma::simulation
