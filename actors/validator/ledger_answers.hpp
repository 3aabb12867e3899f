// What a validator answers from its ledger: rows, open targets, receipts. Any process of the
// operator may ask, so each answer is bounded, and no question can make it fail.
#pragma once

#include <variant>

#include "actors/consensus/mempool.hpp"
#include "actors/rules/execution.hpp"
#include "actors/rules/refusal.hpp"
#include "messages/wire/role_messages.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::validator {

inline constexpr std::size_t max_listed_targets = 1'024;
inline constexpr std::size_t max_listed_rows = 1'024;
inline constexpr std::size_t max_page_bytes = std::size_t{4} << 20;

/// Why a transaction that was offered does not wait for a block: nothing when it does, else what
/// the rules or the mempool say.
using offer_refusal = std::variant<std::monostate, rules::refusal, consensus::pool_refusal>;
[[nodiscard]] offer_refusal offer_refusal_of(schema::Refusal::Reader refusal);
/// `reason` is the one that a block's outcome names.
[[nodiscard]] rules::refused block_refusal_of(schema::Refusal::Reader refusal);

/// Not found for anything that is no row's key.
[[nodiscard]] message<schema::Row> row_answer(const tables::ledger_view& ledger, byte_view key);

/// One page of the rows below `prefix`, behind the key `after`; no rows for what is no prefix of a
/// row's key. `most` and max_listed_rows bound their number, max_page_bytes their size.
[[nodiscard]] message<schema::Rows> rows_answer(const tables::ledger_view& ledger, byte_view prefix,
                                                byte_view after, std::size_t most);

/// What became of a transaction, from the block it is in.
[[nodiscard]] message<schema::TransactionStatus> transaction_answer(
    const tables::ledger_view& ledger, const transaction_id& id);

/// The epoch's open targets in order of id, at most `most` and max_listed_targets.
[[nodiscard]] message<schema::OpenTargets> open_targets_answer(const tables::ledger_view& ledger,
                                                               const chain_row& tip,
                                                               std::size_t most);

[[nodiscard]] message<schema::SubmitReceipt> receipt(const transaction_id& id,
                                                     const offer_refusal& refusal);

/// What watchers of the chain are told of a block that is durable.
[[nodiscard]] message<schema::BlockNotice> block_notice(const block_id& id,
                                                        const rules::effects& done,
                                                        const state_root& root);

}  // namespace soma::validator
