#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "messages/codec/codec.hpp"
#include "messages/wire/refusals.hpp"
#include "tests/actors/gateway/served_ledger.hpp"

using namespace soma;
using namespace soma::test;

namespace {

using places = std::vector<std::string>;

/// The places of all events, read by pages of `limit`.
places all_places(served_ledger& served, const std::string& query = "", int limit = 1'000) {
  places found;
  std::string from = "0:0";
  for (bool more = true; more;) {
    const auto page =
        served.get("/v1/events?limit=" + std::to_string(limit) + "&from=" + from + query, as_json)
            .json();
    for (const auto& one : page["events"].elements) found.push_back(one["place"].text);
    from = page["next"].text;
    more = page["more"].is_true();
    CHECK(!page["proven"].is_true());
  }
  return found;
}

places after(const places& all, const std::string& last) {
  return {std::ranges::find(all, last) + 1, all.end()};
}

}  // namespace

TEST_CASE("pages of any size and a stream show the same events, in JSON and as messages") {
  served_ledger served;
  for (int i = 0; i < 4; ++i) served.grow(i);
  const auto all = all_places(served);
  REQUIRE(all.size() >= 6);
  CHECK(all_places(served, "", 1) == all);
  const auto page = served.get("/v1/events?from=0:0", as_message).message_of<schema::EventPage>();
  CHECK(page.root().getEvents().size() == all.size());
  event_reader reader(served.port(), "?from=0:0");
  CHECK(reader.head().find("Content-Type: text/event-stream") != std::string::npos);
  CHECK(reader.head().find("Soma-Answers: ") != std::string::npos);
  CHECK(reader.read_until(all.back()) == all);
  CHECK(reader.text().find("event: transferred\ndata: {\"place\": ") != std::string::npos);
}

TEST_CASE(
    "a stream goes on with the chain, and begins behind the newest block if nothing is said") {
  served_ledger served;
  served.grow(2);
  const auto old = all_places(served);
  event_reader whole(served.port(), "?from=0:0");
  whole.read_until(old.back());
  event_reader fresh(served.port(), "");
  for (int block = 0; block < 5; ++block) {
    served.grow(3);
    whole.read_until(all_places(served).back());
  }
  const auto all = all_places(served);
  CHECK(whole.read_until(all.back()) == all);
  const auto& got = fresh.read_until(all.back());
  CHECK(got == after(all, old.back()));
}

TEST_CASE("what happens from now on does not begin in the past, however old the last look is") {
  served_ledger served([](auto& options) { options.look_ms = 60'000; });
  served.grow(2);
  CHECK(served.get("/v1/events", as_json).json()["next"].text == "2:0");
  served.shared().is_silent = true;
  raw_client early(served.port());
  early.send("GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(early.read_until("\r\n\r\n", 50).empty());  // nothing is promised before it is known
}

TEST_CASE("a stream that is cut at any event is resumed without a gap and without a double") {
  served_ledger served;
  std::mt19937_64 random(5);
  for (int i = 0; i < 6; ++i) served.grow(random() % 4);
  served.grow(1);
  const auto all = all_places(served);
  for (const auto& last : all) {
    CAPTURE(last);
    if (last == all.back()) break;
    event_reader reader(served.port(), "?from=3:0", last);  // the header counts more
    CHECK(reader.read_until(all.back()) == after(all, last));
  }
}

TEST_CASE("filters by kind, account and others choose the events, in pages and in streams") {
  served_ledger served;
  for (int i = 0; i < 3; ++i) served.grow(2);
  const auto all = all_places(served);
  const auto transfers = all_places(served, "&kind=transferred");
  CHECK(transfers.size() == 6);
  CHECK(all_places(served, "&kind=transferred,transaction_applied").size() == 12);
  CHECK(all_places(served, "&address=" + address_of(2).text()).size() >= 6);
  CHECK(all_places(served, "&address=" + address_of(50).text()).empty());
  CHECK(all_places(served, "&target=0x" + std::string(64, '1')).empty());
  CHECK(all_places(served, "&model=0x" + std::string(64, '1')).empty());
  event_reader reader(served.port(), "?from=0:0&kind=transferred&address=" + address_of(2).text());
  CHECK(reader.read_until(transfers.back()) == transfers);
}

TEST_CASE("blocks come behind their events, and are resumed without a gap and without a double") {
  served_ledger served;
  const std::size_t transfers[] = {0, 2, 0, 1, 3, 0};
  places blocks, both;
  for (std::size_t height = 1; height <= std::size(transfers); ++height) {
    served.grow(transfers[height - 1]);
    blocks.push_back(std::to_string(height) + ":4294967295");
    for (const auto& place : all_places(served, "&kind=transferred")) {
      if (place.starts_with(std::to_string(height) + ":")) both.push_back(place);
    }
    both.push_back(blocks.back());
  }
  REQUIRE(both.size() == 12);
  for (const int limit : {1, 2, 1'000}) {
    CAPTURE(limit);
    CHECK(all_places(served, "&kind=block", limit) == blocks);
    CHECK(all_places(served, "&kind=transferred,block", limit) == both);
  }
  for (const auto& [kinds, all] : {std::pair{"block", blocks}, {"block,transferred", both}}) {
    const auto query = "?from=0:0&kind=" + std::string(kinds);
    CHECK(event_reader(served.port(), query).read_until(all.back()) == all);
    for (const auto& last : all) {
      if (last == all.back()) break;
      CAPTURE(last);
      event_reader again(served.port(), query, last);
      CHECK(again.read_until(all.back()) == after(all, last));
    }
  }
  const auto page = served.get("/v1/events?from=2:0&kind=block&limit=1", as_json).json();
  const auto shown = served.get("/v1/blocks/2").json()["blocks"].elements[0];
  CHECK(page["events"].elements[0]["kind"].text == "block");
  CHECK(page["events"].elements[0]["block"].text == shown["id"].text);
  CHECK(page["events"].elements[0]["transactions"].text == "2");
  // A live stream gets the next one, and one that is a long way behind gets all.
  event_reader live(served.port(), "?kind=block");
  for (int i = 0; i < 300; ++i) served.grow(0);
  const auto newest = std::to_string(served.height()) + ":4294967295";
  CHECK(live.read_until(newest, 5'000).size() == 300);
  event_reader late(served.port(), "?kind=block&from=0:0");
  CHECK(late.read_until(newest, 5'000).size() == 306);
  CHECK(all_places(served, "&kind=block").size() == 306);
}

TEST_CASE("blocks have no target, model or address, and messages have no blocks") {
  served_ledger served;
  served.grow(1);
  const auto refused = [&](const std::string& query, const http::name_values& form) {
    const auto got = served.get("/v1/events?kind=block" + query, form);
    return std::to_string(got.status) + " " + got.code();
  };
  CHECK(refused("&address=" + address_of(2).text(), as_json) == "400 bad_filter");
  CHECK(refused("&from=0:0", as_message) == "400 bad_filter");
  CHECK(refused(",nonsense", as_json) == "400 bad_filter");
}

TEST_CASE("many streams share one question for a block") {
  served_ledger served;
  served.grow(1);
  const auto first = all_places(served).back();
  std::vector<std::unique_ptr<event_reader>> readers;
  for (int i = 0; i < 50; ++i) {
    readers.push_back(std::make_unique<event_reader>(served.port(), "?from=0:0"));
    readers.back()->read_until(first);
  }
  const auto last = [&] { return all_places(served).back(); };
  const auto before = served.shared().questions_for_events.load();
  served.grow(1);
  std::string newest;
  while (newest.empty() || newest == first) newest = last();
  for (auto& one : readers) CHECK(one->read_until(newest).back() == newest);
  CHECK(served.shared().questions_for_events - before <= 4);  // of which the test asked some
}

TEST_CASE("there are so many streams; a place is free again when a client has gone") {
  served_ledger served([](auto& options) { options.streams = 2; });
  auto first = std::make_unique<event_reader>(served.port(), "");
  const event_reader second(served.port(), "");
  CHECK(second.head().starts_with("HTTP/1.1 200"));
  const event_reader third(served.port(), "");
  CHECK(third.head().starts_with("HTTP/1.1 503"));
  CHECK(third.head().find("Retry-After: ") != std::string::npos);
  CHECK(third.text().find("too_many_streams") != std::string::npos);
  CHECK(served.get("/v1/events", as_json).status == 200);  // a page is no stream
  first.reset();
  CHECK(
      wait_for([&] { return event_reader(served.port(), "").head().starts_with("HTTP/1.1 200"); }));
}

TEST_CASE("HEAD of a stream ends at once and holds no place") {
  served_ledger served([](auto& options) { options.streams = 1; });
  for (int i = 0; i < 3; ++i) {
    const auto head = served.get("/v1/events", {}, http::method::head);
    CHECK(head.status == 200);
    CHECK(head.type == "text/event-stream");
  }
  CHECK(event_reader(served.port(), "").head().starts_with("HTTP/1.1 200"));
}

TEST_CASE("a silent stream gets comments, also while the validator is silent") {
  served_ledger served([](auto& options) { options.heartbeat_ms = 20; });
  event_reader reader(served.port(), "");
  CHECK(reader.connection().read_until(": ").find(": ") != std::string::npos);
  served.shared().is_silent = true;
  for (int i = 0; i < 3; ++i) {
    CHECK(reader.connection().read_until(": ").find(": ") != std::string::npos);
  }
}

TEST_CASE("a reader that does not read is cut, and resumes where it was") {
  served_ledger served([](auto& options) {
    options.limits.drain_ms = 100;
    options.limits.drain_bytes_per_second = 1U << 20U;
    options.limits.socket_send_bytes = 4'096;
  });
  event_reader slow(served.port(), "?from=0:0", "", {.receive_bytes = 2'048});
  for (int i = 0; i < 20; ++i) served.grow(40);
  const auto all = all_places(served);
  event_reader quick(served.port(), "?from=0:0");
  CHECK(quick.read_until(all.back()) == all);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto got = slow.read_until(all.back(), 1'000);
  CHECK(slow.connection().is_closed_within(1'000));
  REQUIRE(got.size() < all.size());
  event_reader again(served.port(), "?from=0:0", got.empty() ? "" : got.back());
  CHECK(again.read_until(all.back()) == (got.empty() ? all : after(all, got.back())));
}
