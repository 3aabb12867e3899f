// The lists of the state, protocol §11.6: the active models and the open targets. They follow from
// the other rows. They are rows themselves so that the proofs of a few rows show all of them, and a
// reader can tell when one is withheld.
#pragma once

#include <set>
#include <span>
#include <vector>

#include "actors/ledger/ledger.hpp"

namespace soma::ledger {

/// The list after `left` have left it and `joined` (ascending) have joined it. Place by place, an
/// entry that has left gives its place to the first that has not joined yet, or, when all have, to
/// the last entry of the list. What is left of `joined` comes behind the end. Protocol §11.6.
[[nodiscard]] std::vector<hash256> changed_list(std::vector<hash256> list,
                                                const std::set<hash256>& left,
                                                std::span<const hash256> joined);

/// Changes a list, its rows and its length in the chain row. Asserts that all that leaves was
/// listed.
void update_list(block_state& state, list_kind which, const std::set<hash256>& left,
                 std::span<const hash256> joined);

/// All ids of a list of the state, in the order of their places.
[[nodiscard]] std::vector<hash256> read_list(const state_reader& state, list_kind which);

}  // namespace soma::ledger
