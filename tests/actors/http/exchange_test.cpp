#include "actors/http/exchange.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace soma;
using stream_end = http::exchange::stream_end;

namespace {

struct fixture {
  std::shared_ptr<http::memory_budget> budget = std::make_shared<http::memory_budget>(1'000);
  int woken = 0;
  std::shared_ptr<http::exchange> one =
      std::make_shared<http::exchange>(budget, 100, [this] { ++woken; });
};

}  // namespace

TEST_CASE("the first answer counts, and a lost responder answers 500") {
  fixture f;
  {
    const http::responder to(f.one);
    const auto copy = to;
    copy.send(http::make_response(201, "", "a"));
    to.send(http::make_response(202, "", "b"));
  }
  const auto answer = f.one->take_answer();
  REQUIRE(answer.has_value());
  CHECK(answer->head.status == 201);
  CHECK(!f.one->take_answer());
  CHECK(f.woken == 1);

  fixture lost;
  { const http::responder to(lost.one); }
  CHECK(lost.one->take_answer()->head.status == 500);
}

TEST_CASE("pieces keep their order and give their memory back") {
  fixture f;
  const http::responder to(f.one);
  const auto stream = to.stream({}, std::nullopt);
  std::thread other([stream] {
    CHECK(stream.write("one"));
    CHECK(stream.write("two"));
    stream.finish();
    CHECK(!stream.write("three"));
  });
  other.join();
  CHECK(stream.queued_bytes() == 6);
  CHECK(f.budget->held() == 6);
  CHECK(f.one->ended() == stream_end::open);  // pieces are left
  std::string all;
  while (const auto next = f.one->next_piece()) all.append(next->data->begin(), next->data->end());
  CHECK(all == "onetwo");
  CHECK(f.budget->held() == 0);
  CHECK(f.one->ended() == stream_end::finished);
}

TEST_CASE("a stream that fills its queue, or the server's memory, is cut") {
  fixture slow;
  const http::responder to(slow.one);
  const auto stream = to.stream({}, std::nullopt);
  CHECK(stream.write(bytes(99)));
  CHECK(stream.write(bytes(500)));  // one piece may pass the limit
  CHECK(!stream.write(bytes(1)));
  CHECK(slow.one->is_overfull());
  CHECK(slow.one->ended() == stream_end::aborted);

  fixture big;
  const http::responder other(big.one);
  const auto large = other.stream({}, std::nullopt);
  CHECK(!large.write(bytes(1'001)));
  CHECK(big.one->is_out_of_memory());
  CHECK(big.budget->held() == 0);
}

TEST_CASE("a stream whose last copy goes is aborted, unless the connection asks it for more") {
  fixture f;
  const http::responder to(f.one);
  { const auto stream = to.stream({}, std::nullopt); }
  CHECK(f.one->ended() == stream_end::aborted);

  fixture kept;
  int asked = 0;
  bool told = false;
  {
    const http::responder source(kept.one);
    static_cast<void>(source.stream({}, std::nullopt,
                                    {[&](const http::body_stream& more) {
                                       if (++asked == 1) more.write("x");
                                     },
                                     [&](bool whole) { told = !whole; }}));
  }
  kept.one->ask_for_more();
  kept.one->ask_for_more();
  kept.one->ask_for_more();  // nothing was written since
  CHECK(asked == 2);
  const std::weak_ptr<http::exchange> watched = kept.one;
  kept.one->close(false, true);
  CHECK(told);
  kept.one.reset();
  CHECK(watched.expired());
}

TEST_CASE("after the end nothing is taken and nobody is told twice") {
  fixture f;
  const http::responder to(f.one);
  int ends = 0;
  const auto stream = to.stream({}, std::nullopt, {{}, [&](bool) { ++ends; }});
  CHECK(stream.write("x"));
  f.one->close(true, true);
  f.one->close(false, true);
  CHECK(ends == 1);
  CHECK(stream.is_gone());
  CHECK(to.is_gone());
  CHECK(!stream.write("y"));
  CHECK(f.budget->held() == 0);
  CHECK(http::body_stream().is_gone());
  CHECK(!http::body_stream().write("z"));
}
