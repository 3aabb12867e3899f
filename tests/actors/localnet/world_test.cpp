#include "actors/localnet/world.hpp"

#include <doctest/doctest.h>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <thread>

using namespace soma;
using namespace soma::background;
using namespace soma::clock;
using namespace soma::localnet;

namespace {

message<schema::Wait> wait_ms(std::uint32_t ms) {
  return message<schema::Wait>::build([&](auto out) { out.setMs(ms); });
}

}  // namespace

TEST_CASE("time passes only when all actors wait, and in the order of the alarms") {
  world w(1, 1'000'000);
  auto log = std::make_shared<std::vector<std::pair<unsigned, std::uint64_t>>>();
  for (const unsigned ms : {5'000u, 10u, 3'600'000u, 10u}) {
    w.system().spawn([=, clock = w.clock()](caf::event_based_actor* self) {
      self->request(clock, caf::infinite, wait_ms(ms)).then([=](const message<schema::Time>& time) {
        log->emplace_back(ms, time.root().getUnixMs());
      });
    });
  }
  const auto before = std::chrono::steady_clock::now();
  const auto reason =
      w.run_until([&] { return log->size() == 4; }, [] { return false; }, UINT64_MAX);
  CHECK(reason == world::stop_reason::done);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(10));
  const std::vector<std::pair<unsigned, std::uint64_t>> wanted{
      {10, 1'000'010}, {10, 1'000'010}, {5'000, 1'005'000}, {3'600'000, 4'600'000}};
  CHECK(*log == wanted);
}

TEST_CASE(
    "blocking work is answered in the order in which it was asked for, however long each piece "
    "takes") {
  for (const unsigned threads : {1u, 2u, 8u}) {
    CAPTURE(threads);
    world w(threads, 0);
    auto order = std::make_shared<std::vector<int>>();
    for (int i = 0; i < 8; ++i) {
      w.system().spawn([=, lane = w.new_background()](caf::event_based_actor* self) {
        auto work =
            make_job([i] { std::this_thread::sleep_for(std::chrono::milliseconds(2 * (8 - i))); });
        self->request(lane, caf::infinite, work).then([=](const message<schema::Ack>&) {
          order->push_back(i);
        });
      });
    }
    CHECK(w.run_until([&] { return order->size() == 8; }, [] { return false; }, UINT64_MAX) ==
          world::stop_reason::done);
    CHECK(*order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  }
}

TEST_CASE("work of one lane never overlaps, and work of several lanes runs at the same time") {
  world w(4, 0);
  auto inside = std::make_shared<std::atomic<int>>(0);
  auto worst = std::make_shared<std::atomic<int>>(0);
  auto done = std::make_shared<int>(0);
  const auto lane = w.new_background();
  for (int i = 0; i < 6; ++i) {
    w.system().spawn([=](caf::event_based_actor* self) {
      auto work = make_job([=] {
        *worst = std::max(worst->load(), ++*inside);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        --*inside;
      });
      self->request(lane, caf::infinite, work).then([=](const message<schema::Ack>&) { ++*done; });
    });
  }
  w.run_until([&] { return *done == 6; }, [] { return false; }, UINT64_MAX);
  CHECK(*worst == 1);
}

TEST_CASE("work that throws is answered with an error that says why") {
  world w(2, 0);
  auto why = std::make_shared<std::string>();
  w.system().spawn([=, lane = w.new_background()](caf::event_based_actor* self) {
    self->request(lane, caf::infinite, make_job([] { throw std::runtime_error("no disk"); }))
        .then([](const message<schema::Ack>&) {},
              [=](caf::error& error) { *why = self->system().render(error); });
  });
  w.run_until([&] { return !why->empty(); }, [] { return false; }, UINT64_MAX);
  CHECK(why->find("no disk") != std::string::npos);
  CHECK(w.fault() == "no disk");
}

TEST_CASE(
    "the first watched role that ends with an error is a fault, and one that is stopped is not") {
  world w(1, 0);
  const auto idle = [](caf::event_based_actor* self) -> caf::behavior {
    return {
        [=](const std::string& why) { self->quit(caf::make_error(caf::sec::runtime_error, why)); }};
  };
  const auto stopped = w.system().spawn(idle), first = w.system().spawn(idle),
             second = w.system().spawn(idle);
  w.watch("the stopped one", stopped);
  w.watch("the first", first);
  w.watch("the second", second);
  const auto settle = [&] { w.run_until([] { return true; }, [] { return false; }, UINT64_MAX); };
  settle();
  caf::anon_send_exit(stopped, caf::exit_reason::user_shutdown);
  settle();
  CHECK(w.fault().empty());
  caf::anon_send(first, std::string("the disk is full"));
  settle();
  caf::anon_send(second, std::string("no file can be opened"));
  settle();
  CHECK(w.fault() == "the first: the disk is full");
}

TEST_CASE("a world in which nothing can happen any more says that it stalled") {
  world w(1, 0);
  CHECK(w.run_until([] { return false; }, [] { return false; }, UINT64_MAX) ==
        world::stop_reason::stalled);
}
