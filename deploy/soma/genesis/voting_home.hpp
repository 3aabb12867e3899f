// Where the record of what a validator's key has signed is stored, and how it begins. What must
// hold: a record begins empty only if the key cannot have signed a vote on that chain before. A
// validator that forgets what its key has signed may sign the opposite.
#pragma once

#include <filesystem>
#include <memory>

#include "actors/validator/vote_memory.hpp"
#include "deploy/soma/shell/failure.hpp"

namespace soma::cli {

/// The folder of the record for a key file: for validator.key it is validator.votes/<the chain's
/// first digits>, beside the key, so that the record moves together with the key.
[[nodiscard]] std::filesystem::path votes_beside(const std::filesystem::path& key_file,
                                                 const chain_id& chain);

/// Makes a new, empty record. Refuses if the folder already holds one.
[[nodiscard]] outcome make_voting_record(const std::filesystem::path& folder, const chain_id& chain,
                                         const public_key& key);

/// Opens the record for a running node. Refuses while another process has it open.
[[nodiscard]] expected<std::shared_ptr<validator::vote_memory>, failure> open_voting_record(
    const std::filesystem::path& folder, const chain_id& chain, const public_key& key);

}  // namespace soma::cli
