#include "actors/gateway_client/gateway_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

using namespace soma;
using namespace soma::gateway_client;

namespace {

refusal no(distrust reason) {
  return {reason, {}, std::nullopt};
}

/// A pool whose gateways answer what the test says, on a clock that moves when the pool waits.
struct fixture {
  explicit fixture(std::size_t count, std::uint64_t seed = 1) : answers(count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.emplace_back(1, static_cast<char>('a' + i));
    pool_options options;
    options.now_ms = [this] { return now_ms; };
    options.wait_ms = [this](std::uint64_t ms) {
      waits.push_back(ms);
      now_ms += ms;
    };
    options.on_left = [this](const std::string& name, const refusal& why) {
      left += name + ":" + std::to_string(static_cast<int>(why.reason)) + " ";
    };
    options.seed = seed;
    options.first_rest_ms = 100;
    options.patience_ms = 2'000;
    pool.emplace(std::move(names), std::move(options));
  }
  /// Asks and gives the letters of the gateways that were asked, a '!' behind them on failure.
  std::string call() {
    std::string asked;
    const auto answer = pool->call([&](std::size_t which) -> expected<int, refusal> {
      asked += static_cast<char>('a' + which);
      now_ms += takes_ms;
      if (answers[which]) return make_unexpected(*answers[which]);
      return 7;
    });
    if (!answer) last = answer.error();
    return answer ? asked : asked + "!";
  }
  std::string told() { return std::exchange(left, {}); }

  std::vector<std::optional<refusal>> answers;  // nullopt: it answers soundly
  std::uint64_t now_ms = 1'000'000, takes_ms = 0;
  std::vector<std::uint64_t> waits;
  std::string left;
  pool_refusal last;
  std::optional<gateway_pool> pool;
};

std::string code(distrust reason) {
  return std::to_string(static_cast<int>(reason));
}

}  // namespace

TEST_CASE("the first sound gateway is asked, and a liar is never asked again") {
  fixture f(3);
  CHECK(f.call() == "a");
  for (const auto reason : {distrust::forged_row, distrust::not_itself, distrust::other_version}) {
    fixture g(3);
    g.answers[0] = no(reason);
    CHECK(g.call() == "ab");
    CHECK(g.told() == "a:" + code(reason) + " ");
    CHECK(g.pool->present() == "b");
    g.answers[0].reset();
    g.now_ms += 10'000'000;
    CHECK(g.call() == "b");
    g.answers[1] = no(distrust::silent);
    g.answers[2] = no(distrust::silent);
    CHECK(g.call().find('a') == std::string::npos);
  }
}

TEST_CASE("a silent gateway rests, and is asked after the sound ones when its rest is over") {
  fixture f(3);
  f.answers[0] = no(distrust::silent);
  CHECK(f.call() == "ab");
  CHECK(f.told() == "a:" + code(distrust::silent) + " ");
  f.answers[0].reset();
  CHECK(f.call() == "b");
  f.now_ms += 1'000;
  f.answers[1] = no(distrust::stale);
  CHECK(f.call() == "bc");
  // Both rest. Before it fails, a call asks those that rest, without waiting.
  f.answers[2] = no(distrust::declined);
  f.told();
  const auto asked = f.call();
  CHECK(asked.substr(0, 2) == "ca");
  CHECK(f.waits.empty());
  CHECK(f.pool->present() == "a");
}

TEST_CASE(
    "a call that has asked all waits for the rests, longer each time, until it has no more "
    "patience") {
  fixture f(2);
  f.answers[0] = f.answers[1] = no(distrust::silent);
  const auto asked = f.call();
  CHECK(asked.back() == '!');
  CHECK(asked.size() > 6);
  CHECK(asked.size() < 30);
  CHECK(f.now_ms <= 1'002'000);
  REQUIRE(f.waits.size() > 3);
  CHECK(f.waits.back() > 2 * f.waits.front());
  // Each is named once, not once for each time.
  CHECK(f.told() == "a:" + code(distrust::silent) + " b:" + code(distrust::silent) + " ");
  CHECK(to_text(f.last) ==
        "the gateway at a: the gateway does not answer; the gateway at b: the gateway does not "
        "answer");
  // One that comes back within the patience answers.
  f.answers[1].reset();
  CHECK(f.call().back() == 'b');
}

TEST_CASE("slow gateways are each asked once, however long it takes, and none twice") {
  fixture f(3);
  f.takes_ms = 5'000;
  f.answers.assign(3, no(distrust::silent));
  CHECK(f.call() == "abc!");
  CHECK(f.waits.empty());
}

TEST_CASE("what is no gateway's fault ends the call, and no gateway is left") {
  fixture f(2);
  f.answers[0] = no(distrust::unsafe_gap);
  CHECK(f.call() == "a!");
  REQUIRE(f.last.own);
  CHECK(f.last.own->reason == distrust::unsafe_gap);
  CHECK(f.told().empty());
  f.answers[0].reset();
  CHECK(f.call() == "a");
}

TEST_CASE("rests are the same for a seed, and others for another") {
  std::set<std::vector<std::uint64_t>> all;
  for (const std::uint64_t seed : {1, 2, 3, 1, 2, 3}) {
    fixture f(1, seed);
    f.answers[0] = no(distrust::silent);
    CHECK(f.call().back() == '!');
    for (const auto wait : f.waits) CHECK(wait >= 50);
    CHECK(f.waits.front() <= 150);
    all.insert(f.waits);
  }
  CHECK(all.size() == 3);
}

TEST_CASE("a chain that is about to have its next block is waited for, and no gateway is blamed") {
  fixture f(1);
  auto early = no(distrust::declined);
  early.declined = schema::LedgerRefusal::NO_BLOCK_YET;
  f.answers[0] = early;
  CHECK(f.call().ends_with("!"));
  CHECK(f.told().empty());
  CHECK(!f.waits.empty());
  f.answers[0].reset();
  CHECK(f.call() == "a");
  auto gone = no(distrust::declined);
  gone.declined = schema::LedgerRefusal::NOT_KEPT;
  f.answers[0] = gone;
  CHECK(f.call().ends_with("!"));
  CHECK(f.told() == "a:" + code(distrust::declined) + " ");
}

namespace {

/// Gateways that answer a question for rows after their times. The answer is their letter.
struct racing_pool {
  struct one {
    std::atomic<int> takes_ms{0}, asked{0};
    std::atomic<bool> is_cancelled{false}, lies{false}, is_silent{false};
  };
  std::vector<std::unique_ptr<one>> gateways;
  std::string left;
  std::optional<gateway_pool> pool;
  std::optional<fetch_race> race;
  std::size_t checked = 0;
  double took_ms = 0;

  explicit racing_pool(std::vector<int> times_ms) {
    std::vector<std::string> names;
    std::vector<fetch_race::runner> runners;
    for (const auto ms : times_ms) {
      gateways.push_back(std::make_unique<one>());
      auto* at = gateways.back().get();
      at->takes_ms = ms;
      names.emplace_back(1, static_cast<char>('a' + names.size()));
      runners.push_back({[at](const rows_question&) { return answer_of(*at); },
                         [at] { at->is_cancelled = true; }});
    }
    pool_options options;
    options.on_left = [this](const std::string& name, const refusal& why) {
      left += name + ":" + std::to_string(static_cast<int>(why.reason)) + " ";
    };
    options.seed = 1;
    options.least_hedge_ms = 20;
    options.most_hedge_ms = 40;
    options.patience_ms = 200;
    pool.emplace(std::move(names), std::move(options));
    race.emplace(std::move(runners));
  }
  static fetched answer_of(one& at) {
    ++at.asked;
    for (int ms = 0; ms < at.takes_ms && !at.is_cancelled; ++ms) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (at.is_silent) return make_unexpected(fetch_error(fetch_failure::silent));
    return bytes(1, at.lies ? 1 : 0);
  }
  /// The letter of the gateway whose answer counts; "!" if there is none.
  std::string read() {
    const auto began = std::chrono::steady_clock::now();
    checked = 0;
    const auto got = pool->read(
        *race, {}, [&](std::size_t which, const fetched& rows) -> expected<std::string, refusal> {
          ++checked;
          if (!rows) return make_unexpected(no(distrust::silent));
          if (rows->front() == 1) return make_unexpected(no(distrust::forged_row));
          return std::string(1, static_cast<char>('a' + which));
        });
    took_ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
    return got ? *got : "!";
  }
};

}  // namespace

TEST_CASE(
    "a read beside a slow gateway takes about the time of the quick one, who comes first then") {
  racing_pool p({3'000, 5});
  CHECK(p.read() == "b");
  CHECK(p.took_ms < 1'000);
  CHECK(p.checked == 1);  // only one of the two answers is looked at
  CHECK(p.pool->present() == "b");
  CHECK(p.left.empty());  // who is slow has not lied, and rests not
  for (int i = 0; i < 5; ++i) CHECK(p.read() == "b");
  CHECK(p.gateways[0]->asked == 1);
  CHECK(p.gateways[1]->asked == 6);
  CHECK(p.left.empty());
  // Also when the slow one has come to an end, it is not the first to be asked.
  racing_pool q({100, 1});
  CHECK(q.read() == "b");
  while (q.race->is_busy(0)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(q.read() == "b");
  CHECK(q.gateways[0]->asked == 1);
}

TEST_CASE("a quick gateway is asked alone") {
  racing_pool p({1, 1});
  for (int i = 0; i < 5; ++i) CHECK(p.read() == "a");
  CHECK(p.gateways[1]->asked == 0);
}

TEST_CASE("a quick answer that is a lie does not count, and the slow one is waited for") {
  racing_pool p({150, 1});
  p.gateways[1]->lies = true;
  CHECK(p.read() == "a");
  CHECK(p.checked == 2);
  CHECK(p.left == "b:" + code(distrust::forged_row) + " ");
  // The liar is not asked beside the slow one either.
  CHECK(p.read() == "a");
  CHECK(p.gateways[1]->asked == 1);
}

TEST_CASE("who is given up and then fails is named at the next read, and one alone is waited for") {
  racing_pool p({60, 1});
  p.gateways[0]->is_silent = true;
  CHECK(p.read() == "b");
  CHECK(p.left.empty());
  while (p.race->is_busy(0)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(p.read() == "b");
  CHECK(p.left == "a:" + code(distrust::silent) + " ");
  racing_pool alone({100});
  CHECK(alone.read() == "a");
  alone.gateways[0]->is_silent = true;
  CHECK(alone.read() == "!");
}
