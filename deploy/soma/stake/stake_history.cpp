#include "deploy/soma/stake/stake_history.hpp"

#include <algorithm>
#include <utility>

#include "messages/crypto/ed25519.hpp"

namespace soma::cli {
namespace {

pool_owner pool_of(const event& one) {
  if (!one.model.model.is_zero()) return one.model.model;
  return one.other.is_zero() ? one.account : one.other;
}

/// The holder's part of a pool while its events are replayed.
struct replayed_stake {
  shannons principal;
  std::uint64_t shares = 0, leaving = 0;

  void found(shannons amount) {  // the first deposit buys as many shares as shannons
    principal.value += amount.value;
    shares += amount.value;
  }
  void leave() {
    const auto gone = std::min(leaving, shares);
    leaving = 0;
    if (gone == 0) return;
    const auto part = mul_div(principal.value, gone, shares);
    principal.value -= part.value_or(principal.value);
    shares -= gone;
  }
};

}  // namespace

std::optional<shannons> principal_of(std::span<const event> events, const pool_owner& pool,
                                     const address& holder, shannons at_genesis,
                                     std::uint64_t shares) {
  replayed_stake stake;
  stake.found(at_genesis);
  const event* before = nullptr;
  for (const auto& one : events) {
    const auto* previous = std::exchange(before, &one);
    if (one.account != holder || pool_of(one) != pool) continue;
    switch (one.kind) {
      case event_kind::model_committed:  // the first version founds the pool, a later one deposits
        if (one.model.version == 1) stake.found(one.amount);
        break;
      case event_kind::validator_joined: {  // a deposit into a pool with shares has its own event
        const bool is_deposit = previous != nullptr && previous->kind == event_kind::stake_added &&
                                previous->transaction == one.transaction;
        if (!is_deposit) stake.found(one.amount);
        break;
      }
      case event_kind::stake_joined:
        stake.principal.value += one.amount.value;
        stake.shares += one.detail;
        break;
      case event_kind::stake_withdrawn:
        stake.leaving += one.detail;
        break;
      case event_kind::stake_left:
        stake.leave();
        break;
      default:
        break;
    }
  }
  if (stake.shares != shares) return std::nullopt;
  return stake.principal;
}

epoch_sums rewards_of(std::span<const event> events, const pool_owner& pool) {
  epoch_sums by_epoch;
  const auto paid =
      std::holds_alternative<model_id>(pool) ? event_kind::model_paid : event_kind::validator_paid;
  for (const auto& one : events) {
    if (one.kind == paid && pool_of(one) == pool) by_epoch[one.epoch].value += one.amount.value;
  }
  return by_epoch;
}

const stake_histories::history& stake_histories::events_of(const address& account) {
  const auto found = events_.find(account);
  if (found != events_.end()) return found->second;
  std::vector<event> all;
  const bool has_events = source_.visit_events_of(account, [&](const event& one) {
    all.push_back(one);
    return all.size() <= max_history_events;
  });
  auto& kept = events_[account];
  if (!has_events || all.size() > max_history_events) return kept;
  std::ranges::reverse(all);
  kept = std::move(all);
  return kept;
}

std::optional<address> stake_histories::owner_of(const pool_owner& pool) {
  if (const auto* validator = std::get_if<address>(&pool)) return *validator;
  const auto row = source_.row<model_row>(model_key(std::get<model_id>(pool)));
  return row ? std::optional(row->owner) : std::nullopt;
}

shannons stake_histories::at_genesis(const position& one) const {
  if (one.pool != pool_owner{one.holder}) return {};
  for (const auto& validator : source_.genesis().validators) {
    if (crypto::address_of(validator.consensus_key) == one.holder) return validator.stake;
  }
  return {};
}

std::optional<shannons> stake_histories::principal(const position& one) {
  const auto& events = events_of(one.holder);
  if (!events) return std::nullopt;
  return principal_of(*events, one.pool, one.holder, at_genesis(one), one.shares);
}

std::optional<epoch_sums> stake_histories::rewards(const pool_owner& pool) {
  const auto owner = owner_of(pool);
  if (!owner) return std::nullopt;
  const auto& events = events_of(*owner);
  if (!events) return std::nullopt;
  return rewards_of(*events, pool);
}

}  // namespace soma::cli
