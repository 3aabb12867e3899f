// What the rules share while one block runs: the state, the parameters, and the events so far.
#pragma once

#include "actors/ledger/ledger.hpp"
#include "actors/rules/refusal.hpp"
#include "messages/values/blocks.hpp"
#include "messages/values/genesis.hpp"

namespace soma::rules {

// The names for the places where money lies, which every rule uses.
using ledger::balance_of;
using ledger::of;
using ledger::place;
using ledger::pot;
using ledger::stake_of;

/// A model version that entered or left the set that new targets may be assigned to.
struct registry_change {
  model_version_ref version;
  bool active = false;
  std::vector<float> embedding;  // empty when the version left the set
  shannons stake;
  friend bool operator==(const registry_change&, const registry_change&) = default;
};

struct block_run {
  ledger::block_state& state;
  const genesis_parameters& parameters;
  block_height height;
  transaction_id transaction{};  // zero outside transactions
  std::vector<event> events{};
  std::vector<registry_change> registry{};
  std::vector<target_id> filled{};   // by this block's claims
  std::vector<target_id> expired{};  // by the end of their epoch
  bool stakes_changed = false;       // of active models
  // What the block holds of transactions that were executed, applied or refused.
  std::uint64_t executed = 0;
  std::uint64_t executed_bytes = 0;

  [[nodiscard]] epoch_number epoch() const { return state.chain().epoch; }
  /// Adds an event; the caller sets the fields that apply.
  event& note(event_kind kind) {
    event& e = events.emplace_back();
    e.kind = kind;
    e.height = height;
    e.epoch = epoch();
    e.transaction = transaction;
    return e;
  }
};

}  // namespace soma::rules
