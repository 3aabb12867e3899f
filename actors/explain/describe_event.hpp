// Turns one event into a step of an explanation: a sentence and fields.
#pragma once

#include "actors/explain/format.hpp"

namespace soma::explain {

/// The latest events of one id, at most `limit`, in order from the oldest.
template <class Id>
[[nodiscard]] std::vector<event> oldest_first(const explain_context& context, const Id& id,
                                              std::size_t limit) {
  auto events = context.view.events_of(id, limit);
  return {events.rbegin(), events.rend()};
}

/// The pool that an event about stake names.
[[nodiscard]] pool_owner pool_of(const event& happened);

/// The event as a step: a sentence, and all its fields under stable names.
[[nodiscard]] step describe_event(const explain_context& context, const event& happened);

}  // namespace soma::explain
