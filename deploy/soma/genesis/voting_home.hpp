// Where the record of what a validator's key has signed lies, and how it begins. What must hold: a
// record begins empty only when nobody can have voted with the key on that chain, since a key that
// forgets what it signed may sign the opposite.
#pragma once

#include <filesystem>
#include <memory>

#include "actors/validator/vote_memory.hpp"
#include "deploy/soma/shell/failure.hpp"

namespace soma::cli {

/// validator.key -> validator.votes/<the chain's first digits>: it goes where the key goes.
[[nodiscard]] std::filesystem::path votes_beside(const std::filesystem::path& key_file,
                                                 const chain_id& chain);

/// A new, empty record; refused when one is there.
[[nodiscard]] outcome make_voting_record(const std::filesystem::path& folder, const chain_id& chain,
                                         const public_key& key);

/// The record for a node that runs. Refused while another process has it.
[[nodiscard]] expected<std::shared_ptr<validator::vote_memory>, failure> open_voting_record(
    const std::filesystem::path& folder, const chain_id& chain, const public_key& key);

}  // namespace soma::cli
