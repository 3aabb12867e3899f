// What proves that a block is final to a program that knows the committee of the block's epoch: a
// chain of headers and a certificate, as consensus::light_client::prove takes them. Not every block
// has a certificate of its own; a block is also final when a block above it is. A node commits
// blocks up to one that is proven, so the newest block nearly always has its proof. Only between
// the commits of one run of blocks, or after a crash there, it does not: not_final_yet.
#pragma once

#include <vector>

#include "actors/public_answers/refusal.hpp"
#include "messages/values/expected.hpp"
#include "messages/values/votes.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::public_answers {

/// A block whose nearest certificate lies further above it is not_provable. So one question reads
/// at most this many blocks.
inline constexpr std::size_t max_linked_blocks = 64;

struct finality {
  std::vector<block_header> headers;  // of the block first; at most max_proof_headers
  certificate final;                  // finalizes the last header
};

/// Refusals: no_block_yet, not_there_yet, not_kept, not_final_yet and not_provable.
[[nodiscard]] expected<finality, ledger_refusal> finality_of(const tables::ledger_view& ledger,
                                                             block_height height);

void fill(schema::Finality::Builder out, const finality& proof);

/// Answers the question for the proof of one height.
[[nodiscard]] message<schema::FinalityAnswer> finality_answer(const tables::ledger_view& ledger,
                                                              schema::GetFinality::Reader asked);

}  // namespace soma::public_answers
