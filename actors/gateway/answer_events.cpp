// Events, as streams and in pages.
#include "actors/documents/events.hpp"
#include "actors/explain/names.hpp"
#include "actors/gateway/call.hpp"
#include "messages/codec/codec.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

std::vector<schema::EventKind> kinds_of(std::string_view names, bool& wrong) {
  std::vector<schema::EventKind> found;
  while (!names.empty()) {
    const auto one = names.substr(0, names.find(','));
    const auto kind = explain::event_kind_named(one);
    if (!kind || found.size() == 64) {
      wrong = true;
      return {};
    }
    found.push_back(static_cast<schema::EventKind>(*kind));
    names.remove_prefix(std::min(names.size(), one.size() + 1));
  }
  return found;
}

/// The filter that a request asks for. nullopt: a refusal was sent.
std::optional<stream_filter> filter_of(const call& asked) {
  stream_filter filter;
  bool wrong = false;
  filter.kinds = kinds_of(asked.asked.parameter("kind").value_or(""), wrong);
  if (wrong) {
    reply_error(asked, 400, "bad_filter", "kind names something that is no kind of event");
    return std::nullopt;
  }
  for (const auto& [name, into] :
       {std::pair{"target", &filter.target}, std::pair{"model", &filter.model},
        std::pair{"address", &filter.address}}) {
    const auto text = asked.asked.parameter(name);
    if (!text) continue;
    const auto id = id_in(asked, name, *text);
    if (!id) return std::nullopt;
    into->assign(id->value.begin(), id->value.end());
  }
  return filter;
}

/// The first place that a request names: after Last-Event-ID, else `from`. It is empty if the
/// request names none. nullopt: a refusal was sent.
std::optional<std::optional<event_place>> first_place(const call& asked) {
  const auto last = asked.asked.header("last-event-id");
  const auto from = asked.asked.parameter("from");
  if (!last && !from) return std::optional<event_place>();
  auto place = parse_place(last ? *last : *from);
  if (!place) {
    reply_error(asked, 400, "bad_place", "the place of an event is HEIGHT:INDEX");
    return std::nullopt;
  }
  if (last && ++place->index == 0) ++place->height;
  return place;
}

json::value page_json(const message<schema::EventPage>& page) {
  auto events = json::value::list();
  for (const auto& placed : page.root().getEvents()) {
    const auto happened = decode<event>(view_of(placed.getEvent()));
    if (happened) events.push(documents::event_json(placed.getIndex(), *happened));
  }
  return json::value::of({{"events", std::move(events)},
                          {"next", documents::place_text(block_height{page.root().getNextHeight()},
                                                         page.root().getNextIndex())},
                          {"more", page.root().getMore()},
                          {"height", page.root().getHeight()},
                          {"proven", false}});
}

void begin_stream(self_pointer self, const call& asked, stream_filter filter,
                  const event_place& from) {
  auto& state = self->state;
  state.streams.forget_gone();
  if (state.streams.size() >= state.options.streams) {
    return reply_error(asked, 503, "too_many_streams",
                       "this gateway has as many streams of events as it takes");
  }
  http::response head;
  head.content_type = "text/event-stream";
  head.headers = {{"Soma-Answers", std::to_string(answers_version)},
                  {"Access-Control-Allow-Origin", "*"},
                  {"Cache-Control", "no-store"}};
  event_stream stream{asked.to.stream(std::move(head), std::nullopt), std::move(filter), from,
                      state.now_ms};
  stream.to.write(std::string_view("retry: 2000\n\n"));
  state.streams.add(std::move(stream));
  look_at_streams(self);
}

void answer_page(self_pointer self, const call_ptr& asked, const stream_filter& filter,
                 const event_place& from) {
  const auto limit = limit_of(*asked, 100, 1'024);
  if (!limit) return;
  ask<schema::EventPage>(self, asked, page_question(filter, from, *limit),
                         [asked](const message<schema::EventPage>& page) {
                           if (asked->wanted() == format::message) {
                             return reply_bytes(*asked, message_type, page.bytes());
                           }
                           if (is_refused(page.root().getRefusal())) {
                             return reply_refused(*asked, page.root().getRefusal());
                           }
                           reply_json(*asked, page_json(page));
                         });
}

}  // namespace

void look_at_streams(self_pointer self) {
  auto& state = self->state;
  for (auto& group : state.streams.due(state.height)) {
    auto asked = std::make_shared<event_streams::group>(std::move(group));
    self->request(state.ports.validator, std::chrono::milliseconds(state.options.question_ms),
                  asked->question)
        .then(
            [self, asked](const message<schema::EventPage>& page) {
              self->state.streams.take(*asked, page, self->state.now_ms);
              look_at_streams(self);
            },
            [self, asked](const caf::error&) { self->state.streams.give_up(*asked); });
  }
}

void answer_events(self_pointer self, const call_ptr& asked) {
  const auto filter = filter_of(*asked);
  if (!filter) return;
  const auto named = first_place(*asked);
  if (!named) return;
  const auto answer = [self, asked, filter = *filter](const event_place& from) {
    if (asked->wanted() == format::events) return begin_stream(self, *asked, filter, from);
    answer_page(self, asked, filter, from);
  };
  if (*named) return answer(**named);
  // What happens from now on begins behind the newest block of the validator. The last look may
  // have seen an older one, or none at all.
  ask<schema::ChainStatus>(self, asked, message<schema::GetChain>{},
                           [answer](const message<schema::ChainStatus>& status) {
                             answer({status.root().getHeight() + 1, 0});
                           });
}

}  // namespace soma::gateway
