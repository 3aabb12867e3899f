// What roles read of the ledger. Lists have at most `limit` entries, in the order of their keys.
#pragma once

#include <span>

#include "actors/ledger/ledger.hpp"

namespace soma::ledger {

[[nodiscard]] chain_row read_chain(const state_reader& state);
[[nodiscard]] std::optional<account_row> read_account(const state_reader& state,
                                                      const address& who);
[[nodiscard]] std::optional<validator_row> read_validator(const state_reader& state,
                                                          const address& who);
[[nodiscard]] std::optional<model_row> read_model(const state_reader& state, const model_id& model);
[[nodiscard]] std::optional<model_version_row> read_version(const state_reader& state,
                                                            const model_version_ref& version);
[[nodiscard]] std::optional<target_row> read_target(const state_reader& state,
                                                    const target_id& target);
[[nodiscard]] std::optional<submission_row> read_submission(const state_reader& state,
                                                            const target_id& target);

struct listed_target {
  target_id id;
  target_row row;
};
[[nodiscard]] std::vector<listed_target> open_targets(const state_reader& state, std::size_t limit);

struct listed_model {
  model_id id;
  model_row row;
  model_version_row active;  // the model's active version
};
[[nodiscard]] std::vector<listed_model> active_model_rows(const state_reader& state,
                                                          std::size_t limit);

/// The versions whose weights this member has not judged: revealed or active ones without its vote.
[[nodiscard]] std::vector<model_version_ref> unjudged_versions(const state_reader& state,
                                                               const address& member,
                                                               std::size_t limit);

/// The versions that wait at the end of the present epoch for a quorum of `good` and have no vote
/// of this member: revealed ones, found on the agenda. Protocol §6.8.
[[nodiscard]] std::vector<model_version_ref> versions_on_trial(const state_reader& state,
                                                               const address& member);

struct due_audit {
  target_id id;
  target_row target;
  submission_row submission;
};
/// The revealed and undecided submissions on which this member has not voted, whether their audits
/// call it or not. They are found on the agenda of the present epoch, where every target stands
/// until it has ended: protocol §9.2.
[[nodiscard]] std::vector<due_audit> undecided_audits(const state_reader& state,
                                                      const address& member);

[[nodiscard]] committee_row read_committee(const state_reader& state);
[[nodiscard]] std::optional<onion_row> read_onion(const state_reader& state, const public_key& key);
/// nullopt for an address that has no seat in this epoch.
[[nodiscard]] std::optional<committee_seat> find_seat(const state_reader& state,
                                                      const address& member);
/// The index of the member's seat; 0 if it has no seat.
[[nodiscard]] seat_index seat_of(std::span<const committee_seat> seats, const address& member);
/// The members in the seats with these indices; nullopt when one of the indices has no seat.
[[nodiscard]] std::optional<std::vector<address>> members_at(std::span<const committee_seat> seats,
                                                             const signer_set& signers);
[[nodiscard]] std::optional<stake_row> read_stake(const state_reader& state,
                                                  const stake_position& position);

/// All money counted from the rows themselves, not from the chain row's totals; nullopt when a sum
/// overflows. Reads every row of the ledger: for audits and tests.
struct money_count {
  shannons balances, staked, joining, unbonding, bonds, set_aside;
  friend bool operator==(const money_count&, const money_count&) = default;
};
[[nodiscard]] std::optional<money_count> count_money(const state_reader& state);
/// True if the counted money equals the chain row's totals and all pots sum to the cap.
[[nodiscard]] bool supply_is_whole(const state_reader& state);

}  // namespace soma::ledger
