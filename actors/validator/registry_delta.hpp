// From what the rules say about models to what registry and router are told.
#pragma once

#include "actors/rules/execution.hpp"
#include "messages/wire/role_messages.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::validator {

/// What a router needs to draw for a block that is not stored yet: versions and embeddings alone.
[[nodiscard]] message<schema::RegistryDelta> registry_delta(
    const std::vector<rules::registry_change>& changes, std::uint64_t from, std::uint64_t to);

/// All active models as the ledger has them, with a block's changes on top: for a role whose
/// version no delta fits.
[[nodiscard]] message<schema::RegistryDelta> registry_snapshot(
    const ledger::state_reader& ledger, const std::vector<rules::registry_change>& changes,
    std::uint64_t to);

/// The changes of a stored block with all that the ledger knows about each version.
[[nodiscard]] message<schema::RegistryDelta> full_delta(
    const tables::ledger_view& ledger, const std::vector<rules::registry_change>& changes,
    std::uint64_t from, std::uint64_t to);

/// The generator's answer as the rules take it: seed i with point i and every model's distance.
[[nodiscard]] rules::drawn_targets drawn_targets(const std::vector<rules::wanted_draw>& wanted,
                                                 schema::DrawnTargets::Reader reply);

}  // namespace soma::validator
