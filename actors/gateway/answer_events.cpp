// Events, as streams and in pages.
#include "actors/documents/events.hpp"
#include "actors/gateway/call.hpp"
#include "messages/codec/codec.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

json::value page_json(const shown_page& page, std::uint64_t height) {
  return json::value::of(
      {{"events", page.events},
       {"next", documents::place_text(block_height{page.next.height}, page.next.index)},
       {"more", page.more},
       {"height", height},
       {"proven", false}});
}

/// Calls `then` with what a page shows, after asking for the blocks that the filter wants; nullopt
/// if the validator does not give them.
template <class Then>
void show(self_pointer self, block_wish wish, const event_place& from,
          const message<schema::EventPage>& page, Then then) {
  if (wish == block_wish::none) return then(std::optional(shown_in(page)));
  const auto range = blocks_in(from, page);
  if (range.count == 0) return then(std::optional(shown_in(page, wish, range.first, {})));
  const auto question = message<schema::GetBlocks>::build([&](auto out) {
    out.setFrom(range.first);
    out.setMost(range.count);
    out.setMostBytes(4U << 20U);
  });
  self->request(self->state.ports.validator,
                std::chrono::milliseconds(self->state.options.question_ms), question)
      .then(
          [=](const message<schema::FinalBlocks>& reply) {
            std::vector<block_header> headers;
            for (const auto& data : reply.root().getBlocks()) {
              const auto read = decode<block>(view_of(data));
              if (!read) break;
              headers.push_back(read->header);
            }
            if (headers.empty()) return then(std::optional<shown_page>());
            then(std::optional(shown_in(page, wish, range.first, headers)));
          },
          [then](const caf::error&) { then(std::optional<shown_page>()); });
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
  event_stream stream{asked.to.stream(with_caching(std::move(head)), std::nullopt),
                      std::move(filter), from, state.now_ms};
  stream.to.write(std::string_view("retry: 2000\n\n"));
  state.streams.add(std::move(stream));
  look_at_streams(self);
}

void answer_page(self_pointer self, const call_ptr& asked, const stream_filter& filter,
                 const event_place& from) {
  const auto limit = limit_of(*asked, 100, 1'024);
  if (!limit) return;
  ask<schema::EventPage>(
      self, asked, page_question(filter, from, *limit),
      [self, asked, wish = filter.blocks, from](const message<schema::EventPage>& page) {
        if (asked->wanted() == format::message) {
          return reply_bytes(*asked, message_type, page.bytes());
        }
        if (is_refused(page.root().getRefusal())) {
          return reply_refused(*asked, page.root().getRefusal());
        }
        const auto height = page.root().getHeight();
        show(self, wish, from, page, [asked, height](const std::optional<shown_page>& shown) {
          if (!shown) return reply_silent(*asked);
          reply_json(*asked, page_json(*shown, height));
        });
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
              if (is_refused(page.root().getRefusal())) {
                self->state.streams.cut(*asked);
                return look_at_streams(self);
              }
              const auto& first = *asked->streams.front();
              show(self, first.filter.blocks, first.next, page,
                   [self, asked](const std::optional<shown_page>& shown) {
                     auto& streams = self->state.streams;
                     if (!shown) return streams.give_up(*asked);
                     streams.take(*asked, *shown, self->state.now_ms);
                     look_at_streams(self);
                   });
            },
            [self, asked](const caf::error&) { self->state.streams.give_up(*asked); });
  }
}

void answer_events(self_pointer self, const call_ptr& asked) {
  const auto filter = filter_in(*asked);
  if (!filter) return;
  const auto named = first_place_in(*asked);
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
