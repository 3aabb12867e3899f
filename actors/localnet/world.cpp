#include "actors/localnet/world.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <map>
#include <stdexcept>
#include <thread>

#include "actors/clock/clock.hpp"
#include "actors/interface/describe_error.hpp"

namespace soma::localnet {
namespace {

using world_background_actor = background::background_actor::extend<caf::reacts_to<std::uint64_t>>;

cluster::system_config& testing(cluster::system_config& config) {
  config.set("scheduler.policy", caf::atom("testing"));
  return config;
}

}  // namespace

/// Blocking work whose result is not delivered yet, in the order in which it was asked for.
struct world_jobs {
  struct item {
    background::job work;
    std::uint64_t lane = 0;  // the background actor; jobs of one lane never run at the same time
    std::function<void(std::uint64_t)> finished;
    std::uint64_t ticket = 0;
    std::string failure;
  };
  std::vector<item> pending;
  std::map<std::uint64_t, std::string> failures;  // by ticket, until they are delivered
  std::uint64_t next_lane = 0;
  std::uint64_t next_ticket = 1;
  std::string fault;
  std::vector<caf::actor> watchers;  // an actor that nobody holds ends

  void note(const std::string& why) {
    if (fault.empty()) fault = why;
  }
};

namespace {

struct lane_state {
  std::map<std::uint64_t, caf::typed_response_promise<message<schema::Ack>>> waiting;
};

world_background_actor::behavior_type lane(
    world_background_actor::stateful_pointer<lane_state> self, std::shared_ptr<world_jobs> jobs,
    std::uint64_t number) {
  const auto address = world_background_actor(self);
  return {[=](const background::job& work) {
            auto promise = self->make_response_promise<message<schema::Ack>>();
            const auto ticket = jobs->next_ticket++;
            self->state.waiting.emplace(ticket, promise);
            const auto handle = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl());
            jobs->pending.push_back(
                {work,
                 number,
                 [handle](std::uint64_t done) {
                   if (auto to = caf::actor_cast<caf::strong_actor_ptr>(handle)) {
                     caf::anon_send(caf::actor_cast<world_background_actor>(to), done);
                   }
                 },
                 ticket,
                 {}});
            return promise;
          },
          [=](std::uint64_t ticket) {
            const auto found = self->state.waiting.find(ticket);
            if (found == self->state.waiting.end()) return;
            if (const auto failed = jobs->failures.find(ticket); failed != jobs->failures.end()) {
              found->second.deliver(caf::make_error(caf::sec::runtime_error, failed->second));
              jobs->failures.erase(failed);
            } else {
              found->second.deliver(message<schema::Ack>{});
            }
            self->state.waiting.erase(found);
          }};
}

}  // namespace

world::world(unsigned threads, std::uint64_t start_ms)
    : system_(testing(config_)),
      threads_(std::max(1u, threads)),
      start_ms_(start_ms),
      jobs_(std::make_shared<world_jobs>()) {
  clock::clock_ports ports;
  ports.now_ms = [this] { return now_ms(); };
  clock_ = system_.spawn(soma::clock::clock, ports);
  settle();
}

world::~world() {
  jobs_->watchers.clear();  // they hold the jobs
  // The coordinator runs until no timer is left, and without the clock no role sets a timer.
  system_.await_actors_before_shutdown(false);
  caf::anon_send_exit(clock_, caf::exit_reason::kill);
  clock_ = nullptr;
  settle();
  while (scheduler().clock().trigger_timeouts() > 0) settle();
}

caf::scheduler::test_coordinator& world::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
}

std::uint64_t world::now_ms() {
  const auto passed = scheduler().clock().now().time_since_epoch();
  return start_ms_ + static_cast<std::uint64_t>(
                         std::chrono::duration_cast<std::chrono::milliseconds>(passed).count());
}

background::background_actor world::new_background() {
  return system_.spawn(lane, jobs_, jobs_->next_lane++);
}

const std::string& world::fault() const {
  return jobs_->fault;
}

void world::note_fault(const std::string& why) {
  jobs_->note(why);
}

void world::watch(std::string name, const caf::actor& role) {
  auto watcher = system_.spawn(
      [jobs = jobs_, name = std::move(name), role](caf::event_based_actor* self) -> caf::behavior {
        self->set_down_handler([jobs, name](caf::down_msg& down) {
          // An exit reason is a stop that somebody asked for.
          if (down.reason && down.reason.category() == caf::atom("system")) {
            jobs->note(name + ": " + describe_error(down.reason));
          }
        });
        self->monitor(role);
        return {[](const std::uint64_t&) {}};  // without a behaviour it would end at once
      });
  jobs_->watchers.push_back(std::move(watcher));
}

bool world::run_jobs() {
  if (jobs_->pending.empty()) return false;
  auto batch = std::move(jobs_->pending);
  jobs_->pending.clear();
  std::map<std::uint64_t, std::vector<world_jobs::item*>> lanes;
  for (auto& item : batch) lanes[item.lane].push_back(&item);
  std::vector<std::vector<world_jobs::item*>> queues;
  for (auto& [number, items] : lanes) queues.push_back(std::move(items));

  std::atomic<std::size_t> next{0};
  auto work = [&] {
    for (auto mine = next++; mine < queues.size(); mine = next++) {
      for (auto* item : queues[mine]) {
        try {
          (*item->work)();
        } catch (const std::exception& why) {
          item->failure = why.what();
          if (item->failure.empty()) item->failure = "failed";
        }
      }
    }
  };
  std::vector<std::thread> threads;
  const auto count = std::min<std::size_t>(threads_, queues.size());
  for (std::size_t i = 1; i < count; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();

  for (auto& item : batch) {
    if (!item.failure.empty()) {
      note_fault(item.failure);
      jobs_->failures.emplace(item.ticket, item.failure);
    }
    item.finished(item.ticket);
  }
  return true;
}

void world::settle() {
  do {
    while (scheduler().try_run_once()) {
    }
  } while (run_jobs());
}

world::stop_reason world::run_until(const std::function<bool()>& done,
                                    const std::function<bool()>& interrupted,
                                    std::uint64_t until_ms) {
  for (;;) {
    settle();
    if (done()) return stop_reason::done;
    if (interrupted()) return stop_reason::interrupted;
    if (now_ms() >= until_ms) return stop_reason::out_of_time;
    if (!scheduler().has_pending_timeout()) return stop_reason::stalled;
    scheduler().trigger_timeout();
  }
}

void world::fail(const caf::error& why) {
  throw std::runtime_error(why ? describe_error(why)
                               : "the world came to a halt without an answer");
}

}  // namespace soma::localnet
