#include <doctest/doctest.h>

#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>

#include <deque>
#include <random>

#include "actors/localnet/world.hpp"
#include "actors/scorer/joining_worker.hpp"
#include "actors/scorer/scorer_pool.hpp"

using namespace soma;
using namespace soma::clock;
using namespace soma::localnet;
using namespace soma::scorer;

namespace {

using report = message<schema::ScoreReport>;
/// A worker that the test drives. A number sent to it makes it answer so many of the held requests.
using driven_actor = scorer_worker_actor::extend<caf::reacts_to<std::uint64_t>>;

enum class habit { answers, holds, dies };

struct driven_state {
  std::deque<caf::typed_response_promise<report>> held;
};

driven_actor::behavior_type driven(driven_actor::stateful_pointer<driven_state> self, habit does,
                                   scorer_actor joins, unsigned times) {
  for (unsigned i = 0; i < times; ++i) {
    self->request(joins, caf::infinite, message<schema::JoinPool>{})
        .then([](const message<schema::Ack>&) {});
  }
  const auto refuse = [](auto reply) { return reply; };
  return {[=](const message<schema::ScoreRequest>&) {
            auto promise = self->make_response_promise<report>();
            if (does == habit::answers) promise.deliver(report{});
            if (does == habit::holds) self->state.held.push_back(promise);
            if (does == habit::dies) self->quit(caf::sec::runtime_error);
            return promise;
          },
          [=](const message<schema::CheckModel>&) { return refuse(message<schema::ModelCheck>{}); },
          [=](const message<schema::PredictRequest>&) {
            return refuse(message<schema::PredictReport>{});
          },
          [=](std::uint64_t count) {
            for (; count > 0 && !self->state.held.empty(); --count) {
              self->state.held.front().deliver(report{});
              self->state.held.pop_front();
            }
          }};
}

struct fixture {
  world net{1, 0};
  scorer_pool_limits limits;
  scorer_actor pool;
  std::vector<driven_actor> workers;
  std::vector<std::vector<work_refusal>> answers;  // the refusals of each request
  std::size_t errors = 0;

  void open() {
    pool = net.system().spawn(scorer_pool, std::vector<scorer_worker_actor>{}, limits);
  }
  void add(habit does, unsigned joins = 1) {
    workers.push_back(net.system().spawn(driven, does, pool, joins));
    run_for(0);
  }
  void ask(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const auto number = answers.size();
      answers.emplace_back();
      net.system().spawn([this, number, to = pool](caf::event_based_actor* self) {
        self->request(to, caf::infinite, message<schema::ScoreRequest>{})
            .then(
                [this, number](const report& got) {
                  answers[number].push_back(work_refusal_of(got.root().getRefusal()));
                },
                [this](caf::error&) { ++errors; });
      });
    }
    run_for(0);
  }
  void kill(std::size_t worker) {
    caf::anon_send_exit(workers[worker], caf::exit_reason::kill);
    run_for(0);
  }
  void release(std::size_t worker, std::uint64_t count) {
    caf::anon_send(workers[worker], count);
    run_for(0);
  }
  void run_for(std::uint64_t ms) {
    const auto until = net.now_ms() + ms;
    net.run_until([] { return false; }, [] { return false; }, until);
  }
  message<schema::PoolStatus> status() {
    return net.ask<schema::PoolStatus>(pool, message<schema::GetPoolStatus>{});
  }
  [[nodiscard]] bool each_answered_once(work_refusal refusal = work_refusal::none) const {
    return errors == 0 && std::all_of(answers.begin(), answers.end(), [=](const auto& one) {
             return one == std::vector<work_refusal>{refusal};
           });
  }
};

}  // namespace

TEST_CASE("the work of a worker that dies is done by another, once") {
  fixture f;
  f.open();
  f.add(habit::holds);
  f.ask(3);
  CHECK(f.status()->getRunning() == 1);
  CHECK(f.status()->getQueued() == 2);
  f.add(habit::answers);
  CHECK(f.status()->getDone() == 2);
  f.kill(0);
  CHECK(f.each_answered_once());
  CHECK(f.status()->getWorkers() == 1);
  CHECK(f.status()->getRequeued() == 1);
  CHECK(f.status()->getDone() == 3);
}

TEST_CASE("a worker that joins twice is one worker") {
  fixture f;
  f.open();
  f.add(habit::answers, 2);
  CHECK(f.status()->getWorkers() == 1);
  f.limits.max_workers = 2;
  f.open();
  for (int i = 0; i < 3; ++i) f.add(habit::answers, 3);
  CHECK(f.status()->getWorkers() == 2);  // a full pool takes no more workers and keeps its own
}

TEST_CASE("a full queue answers busy at once and keeps its requests") {
  fixture f;
  f.limits.max_queue = 2;
  f.open();
  f.add(habit::holds);
  f.ask(4);
  CHECK(f.answers[3] == std::vector<work_refusal>{work_refusal::busy});
  for (int i = 0; i < 3; ++i) f.release(0, 1);
  f.answers.pop_back();
  CHECK(f.each_answered_once());
}

TEST_CASE("work that has killed three workers is given up and kills no more") {
  fixture f;
  f.open();
  for (int i = 0; i < 3; ++i) f.add(habit::dies);
  f.ask(1);
  CHECK(f.each_answered_once(work_refusal::worker_lost));
  CHECK(f.status()->getRequeued() == 3);
  CHECK(f.status()->getWorkers() == 0);
  f.add(habit::answers);
  f.answers.clear();
  f.ask(5);
  CHECK(f.each_answered_once());
}

TEST_CASE("a silent worker of another machine loses its work to another worker and may come back") {
  fixture f;
  f.limits.clock = f.net.clock();
  f.limits.silence_ms = 9'000;
  f.open();
  f.add(habit::holds);
  f.ask(1);
  f.run_for(8'000);
  CHECK(f.status()->getWorkers() == 1);
  f.run_for(8'000);
  CHECK(f.status()->getWorkers() == 0);
  CHECK(f.status()->getQueued() == 1);
  f.add(habit::answers);
  CHECK(f.each_answered_once());
  f.release(0, 1);  // its late answer is dropped
  CHECK(f.each_answered_once());
  CHECK(f.status()->getDone() == 1);
}

TEST_CASE("a worker that keeps saying that it is there stays, and ends with its pool") {
  fixture f;
  f.limits.clock = f.net.clock();
  f.open();
  scorer_worker_ports ports;
  const auto worker = f.net.system().spawn(
      joining_worker, ports, pool_membership{f.pool, f.net.clock(), "far away", 3'000});
  const auto ended = std::make_shared<bool>(false);
  worker->attach_functor([ended](const caf::error&) { *ended = true; });
  f.run_for(300'000);
  CHECK(f.status()->getWorkers() == 1);
  CHECK_FALSE(*ended);
  caf::anon_send_exit(f.pool, caf::exit_reason::kill);
  f.run_for(10'000);
  CHECK(*ended);
}

TEST_CASE("whatever workers do, every request is answered exactly once") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    fixture f;
    f.limits.max_attempts = 1'000;
    f.open();
    for (int step = 0; step < 60; ++step) {
      const auto choice = random() % 8;
      if (choice < 3) {
        f.ask(1 + random() % 3);
      } else if (choice < 5) {
        f.add(habit::holds, 1 + random() % 2);
      } else if (!f.workers.empty()) {
        const auto worker = random() % f.workers.size();
        choice == 5 ? f.kill(worker) : f.release(worker, 1 + random() % 2);
      }
    }
    f.add(habit::answers);
    for (std::size_t i = 0; i + 1 < f.workers.size(); ++i) f.kill(i);
    CHECK(f.each_answered_once());
    CHECK(f.status()->getDone() == f.answers.size());
    CHECK(f.status()->getWorkers() == 1);
  }
}
