// Pages of the events of all blocks, for streams that can be resumed. What must hold:
//   - Whoever asks again from the place where the last answer ended sees every event that the
//     filters fit, once and in order. Blocks in a ledger are final, so the past does not change.
//   - An answer costs a bounded time, whatever the filters are: it may end without having looked at
//     everything, and says so by `more`.
#pragma once

#include "actors/public_answers/refusal.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::public_answers {

inline constexpr std::uint32_t max_page_events = 1'024;
inline constexpr std::size_t max_filter_kinds = 64;
/// One answer looks at no more events than this in the order of their places.
inline constexpr std::size_t max_looked_at = 4'096;
/// With a filter by an id, at most this many of the id's latest events are read from its index. If
/// they do not reach back to the wanted place, the events are looked at one by one.
inline constexpr std::size_t max_walked_back = 1'024;

/// Refusals: too_many, too_few, bad_filter, and not_kept for a place before the first block of a
/// ledger that began from a snapshot. A place behind the newest block is no error: nothing is there
/// yet.
[[nodiscard]] message<schema::EventPage> event_page_answer(const tables::ledger_view& ledger,
                                                           schema::GetEvents::Reader asked);

}  // namespace soma::public_answers
