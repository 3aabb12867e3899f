#include "actors/public_answers/event_page.hpp"

#include <algorithm>
#include <set>

#include "messages/codec/codec.hpp"

namespace soma::public_answers {
namespace {

using enum ledger_refusal;
using tables::event_position;

struct event_filter {
  std::set<event_kind> kinds;  // empty: all
  std::optional<target_id> target;
  std::optional<model_id> model;
  std::optional<address> account;

  [[nodiscard]] bool fits(const event& happened) const {
    if (!kinds.empty() && !kinds.contains(happened.kind)) return false;
    if (target && happened.target != *target) return false;
    if (model && happened.model.model != *model) return false;
    return !account || happened.account == *account || happened.other == *account;
  }
};

/// False when the field is neither empty nor an id. The zero id names nothing and has no index.
template <class Id>
bool take_id(byte_view field, std::optional<Id>& to) {
  if (field.empty()) return true;
  to = Id::from(field);
  return to && !to->is_zero();
}

expected<event_filter, ledger_refusal> filter_of(schema::GetEvents::Reader asked) {
  if (asked.getMost() == 0) return make_unexpected(too_few);
  if (asked.getMost() > max_page_events || asked.getKinds().size() > max_filter_kinds) {
    return make_unexpected(too_many);
  }
  event_filter filter;
  // The parser has compared the numbers with the schema, whose order is that of event_kind.
  for (const auto kind : asked.getKinds()) {
    filter.kinds.insert(static_cast<event_kind>(static_cast<std::uint16_t>(kind)));
  }
  const bool ids_fit = take_id(view_of(asked.getTarget()), filter.target) &&
                       take_id(view_of(asked.getModel()), filter.model) &&
                       take_id(view_of(asked.getAddress()), filter.account);
  if (!ids_fit) return make_unexpected(bad_filter);
  return filter;
}

struct event_page {
  std::vector<std::pair<event_position, event>> events;
  event_position next;
};

event_position after(const event_position& place) {
  return {place.height, place.index + 1};
}

/// The events of the filter's id from its index; nullopt when there is no id, or the index would
/// have to be followed too far back.
std::optional<event_page> page_by_id(const tables::ledger_view& ledger, const event_filter& filter,
                                     const event_position& first, std::size_t most,
                                     const event_position& end) {
  if (!filter.target && !filter.model && !filter.account) return std::nullopt;
  event_page page;
  std::size_t walked = 0;
  bool reaches = true;
  const auto visit = [&](const event_position& place, const event& happened) {
    if (place < first) return false;
    reaches = ++walked <= max_walked_back;
    if (reaches && filter.fits(happened)) page.events.emplace_back(place, happened);
    return reaches;
  };
  if (filter.target) {
    ledger.visit_events_back(*filter.target, visit);
  } else if (filter.model) {
    ledger.visit_events_back(*filter.model, visit);
  } else {
    ledger.visit_events_back(*filter.account, visit);
  }
  if (!reaches) return std::nullopt;
  std::ranges::reverse(page.events);
  page.next = end;
  if (page.events.size() > most) {
    page.events.resize(most);
    page.next = after(page.events.back().first);
  }
  return page;
}

event_page page_in_order(const tables::ledger_view& ledger, const event_filter& filter,
                         const event_position& first, std::size_t most, const event_position& end) {
  event_page page;
  page.next = end;
  std::size_t looked_at = 0;
  ledger.visit_events_from(first, [&](const event_position& place, const event& happened) {
    if (looked_at++ == max_looked_at || page.events.size() == most) {
      page.next = place;
      return false;
    }
    if (filter.fits(happened)) page.events.emplace_back(place, happened);
    return true;
  });
  return page;
}

/// The first height whose events are here.
block_height first_kept(const tables::ledger_view& ledger) {
  const auto first = ledger.first_block();
  if (first) return first->value == 1 ? block_height{} : *first;
  return ledger.height().value == 0 ? block_height{} : ledger.height().next();
}

}  // namespace

message<schema::EventPage> event_page_answer(const tables::ledger_view& ledger,
                                             schema::GetEvents::Reader asked) {
  const auto filter = filter_of(asked);
  if (!filter) return refused<schema::EventPage>(filter.error());
  const event_position first{{asked.getFromHeight()}, asked.getFromIndex()};
  if (first.height < first_kept(ledger)) return refused<schema::EventPage>(not_kept);
  const auto newest = ledger.height();
  // A stream that another, faster node has brought further keeps its place.
  const auto end = std::max(first, event_position{newest.next(), 0});
  auto page = page_by_id(ledger, *filter, first, asked.getMost(), end);
  if (!page) page = page_in_order(ledger, *filter, first, asked.getMost(), end);
  return message<schema::EventPage>::build([&](auto out) {
    out.setNextHeight(page->next.height.value);
    out.setNextIndex(page->next.index);
    out.setMore(page->next.height <= newest);
    out.setHeight(newest.value);
    auto list = out.initEvents(static_cast<unsigned>(page->events.size()));
    for (unsigned i = 0; i < page->events.size(); ++i) {
      const auto& [place, happened] = page->events[i];
      list[i].setHeight(place.height.value);
      list[i].setIndex(place.index);
      const auto content = encode(happened);
      list[i].setEvent(data_of(content));
    }
  });
}

}  // namespace soma::public_answers
