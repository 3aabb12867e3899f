// What a validator answers from its ledger: rows, open targets, receipts. Questions come from
// anyone who got this far, so each answer is bounded and none can fail.
#pragma once

#include "actors/rules/execution.hpp"
#include "actors/rules/refusal.hpp"
#include "messages/types/role_messages.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::actors {

inline constexpr std::size_t max_listed_targets = 1'024;
inline constexpr std::size_t max_listed_rows = 1'024;
inline constexpr std::size_t max_page_bytes = std::size_t{4} << 20;
/// Refusals of the mempool in a SubmitReceipt; those of the rules keep their own numbers.
inline constexpr std::uint16_t pool_refusals_from = 1'000;

/// Not found for anything that is no row's key.
[[nodiscard]] message<schema::Row> row_answer(const storage::ledger_view& ledger, byte_view key);

/// One page of the rows below `prefix`, behind the key `after`; no rows for what is no prefix of a
/// row's key. `most` and max_listed_rows bound their number, max_page_bytes their size.
[[nodiscard]] message<schema::Rows> rows_answer(const storage::ledger_view& ledger,
                                                byte_view prefix, byte_view after,
                                                std::size_t most);

/// What became of a transaction, from the block it is in.
[[nodiscard]] message<schema::TransactionStatus> transaction_answer(
    const storage::ledger_view& ledger, const transaction_id& id);

/// The epoch's open targets in order of id, at most `most` and max_listed_targets.
[[nodiscard]] message<schema::OpenTargets> open_targets_answer(const storage::ledger_view& ledger,
                                                               const chain_row& tip,
                                                               std::size_t most);

/// `refusal` 0: accepted.
[[nodiscard]] message<schema::SubmitReceipt> receipt(const transaction_id& id,
                                                     std::uint16_t refusal, std::string_view why);
[[nodiscard]] message<schema::SubmitReceipt> receipt(const transaction_id& id,
                                                     rules::refusal refusal);

/// What watchers of the chain are told of a block that is durable.
[[nodiscard]] message<schema::BlockNotice> block_notice(const block_id& id,
                                                        const rules::effects& done,
                                                        const state_root& root);

}  // namespace soma::actors
