// The answers that a validator gives from its ledger: rows, open targets, receipts. Any process of
// the operator may ask, so each answer is bounded, and no question can make the validator fail.
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

/// Why an offered transaction was not taken into the mempool: monostate when it was taken, else the
/// refusal of the rules or of the mempool.
using offer_refusal = std::variant<std::monostate, rules::refusal, consensus::pool_refusal>;
[[nodiscard]] offer_refusal offer_refusal_of(schema::Refusal::Reader refusal);
/// The refusal of a transaction in a block; nullopt when the rules did not refuse it.
[[nodiscard]] rules::refused block_refusal_of(schema::Refusal::Reader refusal);

/// The row under `key`. The answer says "not found" also when `key` cannot be the key of a row.
[[nodiscard]] message<schema::Row> row_answer(const tables::ledger_view& ledger, byte_view key);

/// One page of the rows whose keys begin with `prefix` and come after the key `after`. The page is
/// empty when no key can begin with `prefix`. `most` and max_listed_rows bound the number of rows.
/// The page ends with the first row that brings its keys and values above max_page_bytes.
/// `from` says whether the rows of the ledger are read or an index of targets.
[[nodiscard]] message<schema::Rows> rows_answer(const tables::ledger_view& ledger, byte_view prefix,
                                                byte_view after, std::size_t most,
                                                schema::RowSource from = schema::RowSource::LEDGER);

/// The outcome of a transaction, read from the events of the block that contains it.
[[nodiscard]] message<schema::TransactionStatus> transaction_answer(
    const tables::ledger_view& ledger, const transaction_id& id);

/// The open targets of the tip's epoch in the order of their ids; `most` and max_listed_targets
/// bound their number.
[[nodiscard]] message<schema::OpenTargets> open_targets_answer(const tables::ledger_view& ledger,
                                                               const chain_row& tip,
                                                               std::size_t most);

[[nodiscard]] message<schema::SubmitReceipt> receipt(const transaction_id& id,
                                                     const offer_refusal& refusal);

/// The notice that watchers of the chain get for each durable block.
[[nodiscard]] message<schema::BlockNotice> block_notice(const block_id& id,
                                                        const rules::effects& done,
                                                        const state_root& root);

}  // namespace soma::validator
