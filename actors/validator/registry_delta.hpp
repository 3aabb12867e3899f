// Translates the rules' changes to models into the messages for the model registry and the router.
#pragma once

#include "actors/rules/execution.hpp"
#include "messages/wire/role_messages.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::validator {

/// The changes of a block that is not stored yet, as far as the router needs them to draw: only
/// versions, stakes and embeddings.
[[nodiscard]] message<schema::RegistryDelta> registry_delta(
    const std::vector<rules::registry_change>& changes, std::uint64_t from, std::uint64_t to);

/// All active models of the ledger, with a block's changes applied. It is for a role whose version
/// of the models fits no delta.
[[nodiscard]] message<schema::RegistryDelta> registry_snapshot(
    const ledger::state_reader& ledger, const std::vector<rules::registry_change>& changes,
    std::uint64_t to);

/// The changes of a stored block, each version with everything that the ledger holds about it.
[[nodiscard]] message<schema::RegistryDelta> full_delta(
    const tables::ledger_view& ledger, const std::vector<rules::registry_change>& changes,
    std::uint64_t from, std::uint64_t to);

/// Translates the generator's answer for the rules: for each wanted seed its point and the distance
/// of every model to it, in 2^-30.
[[nodiscard]] rules::drawn_targets drawn_targets(const std::vector<rules::wanted_draw>& wanted,
                                                 schema::DrawnTargets::Reader reply);

}  // namespace soma::validator
