#include "actors/gateway/event_streams.hpp"

#include <doctest/doctest.h>

#include <random>

#include "actors/public_answers/event_page.hpp"
#include "messages/codec/codec.hpp"
#include "messages/wire/refusals.hpp"
#include "tests/storage/tables/ledger_chain.hpp"

using namespace soma;
using namespace soma::gateway;

namespace {

/// Blocks of random events of three targets.
struct event_ledger {
  explicit event_ledger(std::uint64_t seed)
      : random(seed), store(folder.path(), {.map_bytes = std::size_t{1} << 27, .sync = false}) {
    store.init(test::genesis_bytes(), std::vector<row_change>{{chain_key(), encode(chain_row{})}});
  }
  void grow(std::size_t events) {
    auto made = test::make_block(height() + 1, {});
    for (std::uint32_t i = 0; i < events; ++i) {
      event one;
      one.height = made.content.header.height;
      one.kind = static_cast<event_kind>(random() % 4);
      one.target.value.fill(static_cast<std::uint8_t>(1 + random() % 3));
      made.events.push_back(one);
      all.emplace_back(event_place{one.height.value, i}, one);
    }
    made.commit_to(store);
  }
  [[nodiscard]] std::uint64_t height() const { return store.view().height().value; }
  [[nodiscard]] message<schema::EventPage> answer(const message<schema::GetEvents>& asked) const {
    return public_answers::event_page_answer(store.view(), asked.root());
  }
  std::mt19937_64 random;
  std::vector<std::pair<event_place, event>> all;
  test::scratch_directory folder;
  tables::ledger_store store;
};

/// The other end of a stream.
struct client {
  explicit client(std::size_t queue_bytes = 1U << 22U)
      : behind(std::make_shared<http::exchange>(
            std::make_shared<http::memory_budget>(std::size_t{1} << 26U), queue_bytes, [] {})) {}
  event_stream open(stream_filter filter, event_place from) {
    return {http::responder(behind).stream({}, std::nullopt), std::move(filter), from};
  }
  void read() {
    while (const auto piece = behind->next_piece())
      text.append(piece->data->begin(), piece->data->end());
  }
  [[nodiscard]] std::vector<event_place> places() const {
    std::vector<event_place> found;
    for (auto at = text.find("id: "); at != text.npos; at = text.find("id: ", at + 1)) {
      found.push_back(*parse_place(text.substr(at + 4, text.find('\n', at) - at - 4)));
    }
    return found;
  }
  std::shared_ptr<http::exchange> behind;
  std::string text;
};

/// Asks for all that is due, as the gateway does.
std::size_t feed(event_streams& streams, const event_ledger& ledger) {
  std::size_t questions = 0;
  for (bool more = true; more;) {
    more = false;
    for (const auto& group : streams.due(ledger.height())) {
      ++questions;
      const auto page = ledger.answer(group.question);
      streams.take(group, shown_in(page), 0);
      more = true;
    }
  }
  return questions;
}

}  // namespace

TEST_CASE("places are read strictly") {
  CHECK(parse_place("5:7") == event_place{5, 7});
  CHECK(parse_place("18446744073709551615:4294967295").has_value());
  for (const auto* text : {"", ":", "5", "5:", ":5", "5:7:9", "-5:7", "5:-7", " 5:7", "5:7 ",
                           "0x5:7", "18446744073709551616:0", "5:4294967296"}) {
    CAPTURE(text);
    CHECK(!parse_place(text));
  }
}

TEST_CASE("a stream that is cut and resumed anywhere has each event of its filter once, in order") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    event_ledger ledger(seed);
    auto& random = ledger.random;
    stream_filter filter;
    if (random() % 2 == 0) filter.kinds = {static_cast<schema::EventKind>(random() % 4)};
    if (random() % 2 == 0) filter.target.assign(32, static_cast<std::uint8_t>(1 + random() % 3));
    std::vector<event_place> seen;
    event_place next;
    for (int life = 0; life < 12; ++life) {
      event_streams streams;
      client reader;
      streams.add(reader.open(filter, next));
      for (auto blocks = random() % 4; blocks > 0; --blocks) {
        ledger.grow(random() % 6 == 0 ? 600 + random() % 600 : random() % 6);
        if (random() % 2 == 0) feed(streams, ledger);
      }
      do {
        reader.read();
      } while (life == 11 && feed(streams, ledger) > 0);
      auto places = reader.places();
      // The connection may break behind any event. The rest never arrives.
      if (life < 11 && !places.empty()) places.resize(random() % (places.size() + 1));
      seen.insert(seen.end(), places.begin(), places.end());
      if (!places.empty()) next = {places.back().height, places.back().index + 1};
    }
    std::vector<event_place> wanted;
    for (const auto& [place, one] : ledger.all) {
      const bool kind =
          filter.kinds.empty() || static_cast<event_kind>(filter.kinds[0]) == one.kind;
      const bool target = filter.target.empty() || one.target.value[0] == filter.target[0];
      if (kind && target) wanted.push_back(place);
    }
    CHECK(seen == wanted);
  }
}

TEST_CASE("streams with the same question share it; others have their own") {
  event_ledger ledger(1);
  event_streams streams;
  std::vector<client> readers(100);
  stream_filter other;
  other.kinds = {static_cast<schema::EventKind>(1)};
  for (std::size_t i = 0; i < readers.size(); ++i) {
    streams.add(readers[i].open(i < 90 ? stream_filter{} : other, {1, 0}));
  }
  CHECK(feed(streams, ledger) == 0);
  for (int block = 0; block < 3; ++block) {
    ledger.grow(5);
    CHECK(feed(streams, ledger) == 2);
    CHECK(feed(streams, ledger) == 0);
  }
  for (auto& one : readers) one.read();
  CHECK(readers[0].places().size() == 15);
  CHECK(readers[0].text == readers[89].text);
  CHECK(readers[90].text == readers[99].text);
}

TEST_CASE("while an answer is awaited a stream asks nothing; after a failure it asks again") {
  event_ledger ledger(1);
  ledger.grow(3);
  event_streams streams;
  client reader;
  streams.add(reader.open({}, {1, 0}));
  const auto first = streams.due(1);
  REQUIRE(first.size() == 1);
  CHECK(streams.due(1).empty());
  streams.give_up(first[0]);
  CHECK(feed(streams, ledger) == 1);
  reader.read();
  CHECK(reader.places().size() == 3);
}

TEST_CASE("a client that does not read is asked for nothing, and one that is gone is forgotten") {
  event_ledger ledger(1);
  event_streams streams;
  client slow, quick;
  streams.add(slow.open({}, {1, 0}));
  streams.add(quick.open({}, {1, 0}));
  for (int block = 0; block < 20; ++block) {
    ledger.grow(400);
    feed(streams, ledger);
    quick.read();
  }
  CHECK(quick.places().size() == 8'000);
  CHECK(slow.behind->queued_bytes() >= event_streams::most_queued_bytes);
  CHECK(slow.behind->queued_bytes() < 2 * event_streams::most_queued_bytes);
  slow.behind->close(false, false);
  streams.forget_gone();
  CHECK(streams.size() == 1);
}

TEST_CASE(
    "silent streams get a comment, others do not, and places that are not kept cut a stream") {
  event_streams streams;
  client reader, old;
  streams.add(reader.open({}, {9, 0}));
  streams.keep_alive(99, 100);
  reader.read();
  CHECK(reader.text.empty());
  streams.keep_alive(100, 100);
  streams.keep_alive(150, 100);
  reader.read();
  CHECK(reader.text.starts_with(": "));
  CHECK(reader.text.ends_with("\n\n"));
  CHECK(reader.text.find("\n\n") == reader.text.size() - 2);

  streams.add(old.open({}, {1, 0}));
  const auto asked = streams.due(1);
  REQUIRE(asked.size() == 1);
  streams.cut(asked[0]);
  CHECK(old.behind->ended() == http::exchange::stream_end::aborted);
  CHECK(reader.behind->ended() == http::exchange::stream_end::open);
}
