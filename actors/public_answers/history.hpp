// The ends of epochs, which take a light client from committee to committee, and the blocks.
#pragma once

#include "actors/public_answers/refusal.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::public_answers {

inline constexpr std::uint32_t max_epoch_proofs = 256;
/// A proof has at most 80 KiB, so an answer of this size has several.
inline constexpr std::size_t max_epoch_proofs_bytes = std::size_t{1} << 20;
inline constexpr std::uint32_t max_answered_blocks = 256;
inline constexpr std::size_t max_answered_blocks_bytes = std::size_t{4} << 20;

/// Refusals: too_many, too_few, not_there_yet for an epoch that is not over, and not_kept.
[[nodiscard]] message<schema::EpochProofs> epoch_proofs_answer(
    const tables::ledger_view& ledger, schema::GetEpochProofs::Reader asked);

/// The first block is given whatever its size is. Refusals: too_many, too_few, not_there_yet and
/// not_kept.
[[nodiscard]] message<schema::FinalBlocks> blocks_answer(const tables::ledger_view& ledger,
                                                         schema::GetBlocks::Reader asked);

}  // namespace soma::public_answers
