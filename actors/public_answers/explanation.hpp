// Explanations as messages: what a ledger tells about a target, a model, an address or an epoch to
// somebody who does not have it.
#pragma once

#include "actors/explain/explanation.hpp"
#include "actors/public_answers/refusal.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::public_answers {

inline constexpr std::uint32_t max_explained_events = 20'000;
inline constexpr std::uint32_t usual_explained_events = 2'000;
/// The events of an epoch that are read for an answer. The explanation says when there are more.
inline constexpr std::uint64_t max_explained_epoch_events = 50'000;

[[nodiscard]] message<schema::Explanation> to_message(const explain::explanation& what);
/// The explanation in an answer that is not refused.
[[nodiscard]] explain::explanation read_explanation(schema::Explanation::Reader from);
/// Whether an explanation that anybody may have written can be shown as a document that all readers
/// read alike: every name is a plain one ("reward_shannons") that comes once where it stands, and
/// none of the document's own, and every text is UTF-8.
[[nodiscard]] bool is_sound(const explain::explanation& what);

/// Refusals: too_many, bad_name, unknown, ambiguous and not_there_yet.
[[nodiscard]] message<schema::Explanation> explanation_answer(const tables::ledger_view& ledger,
                                                              schema::GetExplanation::Reader asked);

}  // namespace soma::public_answers
