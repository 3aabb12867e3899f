#include "actors/scorer/scorer_pool.hpp"

#include <algorithm>

#include "actors/interface/describe_error.hpp"

namespace soma::scorer {
namespace {

using pool_pointer = scorer_actor::stateful_pointer<scorer_pool_state>;

template <class Request, class Reply>
void give_up(pooled_work<Request, Reply>& work, work_refusal why) {
  work.promise.deliver(refused<Reply>(why));
}
void give_up(queued_work& item, work_refusal why) {
  std::visit([&](auto& work) { give_up(work, why); }, item.work);
}

void dispatch(pool_pointer self, const scorer_pool_limits& limits);
void drop_worker(pool_pointer self, const caf::actor_addr& gone, const scorer_pool_limits& limits);

pool_worker* find_worker(scorer_pool_state& state, const queued_work* doing) {
  for (auto& worker : state.workers) {
    if (worker.doing.get() == doing) return &worker;
  }
  return nullptr;
}

/// Puts `item` at the head of the queue, since the worker that had it is gone or broken.
void requeue(pool_pointer self, std::shared_ptr<queued_work> item,
             const scorer_pool_limits& limits) {
  auto& state = self->state;
  SOMA_ASSERT(item->attempts < limits.max_attempts, "work that may still be tried");
  ++state.requeued;
  if (++item->attempts >= limits.max_attempts) {
    give_up(*item, work_refusal::worker_lost);
  } else {
    state.queue.push_front(std::move(item));
  }
}

template <class Request, class Reply>
void send_to(pool_pointer self, pool_worker& worker, std::shared_ptr<queued_work> item,
             pooled_work<Request, Reply>& work, const scorer_pool_limits& limits) {
  SOMA_ASSERT(!worker.doing, "a worker has one piece of work at a time");
  worker.doing = item;
  self->request(worker.handle, caf::infinite, work.request)
      .then(
          [=](const message<Reply>& reply) {
            auto* owner = find_worker(self->state, item.get());
            if (owner == nullptr)
              return;  // the worker was declared dead, and another one has the work
            owner->doing.reset();
            ++self->state.done;
            std::get<pooled_work<Request, Reply>>(item->work).promise.deliver(reply);
            dispatch(self, limits);
          },
          [=](caf::error&) {
            // Workers themselves answer with refusals. An error comes from the message system: the
            // worker is gone.
            if (auto* owner = find_worker(self->state, item.get())) {
              drop_worker(self, owner->handle.address(), limits);
            }
          });
}

void dispatch(pool_pointer self, const scorer_pool_limits& limits) {
  auto& state = self->state;
  for (auto& worker : state.workers) {
    if (state.queue.empty()) return;
    if (worker.doing) continue;
    auto item = state.queue.front();
    state.queue.pop_front();
    std::visit([&](auto& work) { send_to(self, worker, item, work, limits); }, item->work);
  }
}

void drop_worker(pool_pointer self, const caf::actor_addr& gone, const scorer_pool_limits& limits) {
  auto& workers = self->state.workers;
  const auto found = std::find_if(workers.begin(), workers.end(), [&](const pool_worker& worker) {
    return worker.handle.address() == gone;
  });
  if (found == workers.end()) return;
  auto unfinished = std::move(found->doing);
  workers.erase(found);
  if (unfinished) requeue(self, std::move(unfinished), limits);
  dispatch(self, limits);
}

template <class Request, class Reply>
caf::typed_response_promise<message<Reply>> accept(pool_pointer self,
                                                   const message<Request>& request,
                                                   const scorer_pool_limits& limits) {
  auto promise = self->make_response_promise<message<Reply>>();
  auto item =
      std::make_shared<queued_work>(queued_work{pooled_work<Request, Reply>{request, promise}});
  if (self->state.queue.size() >= limits.max_queue) {
    give_up(*item, work_refusal::busy);
  } else {
    self->state.queue.push_back(std::move(item));
    dispatch(self, limits);
  }
  return promise;
}

message<schema::Ack> join(pool_pointer self, schema::JoinPool::Reader offer,
                          const scorer_pool_limits& limits) {
  auto refused = [](schema::ScorerPoolRefusal refusal, const char* why) {
    return message<schema::Ack>::build([&](auto out) {
      out.initRefusal().setScorerPool(refusal);
      out.getRefusal().setWhy(why);
    });
  };
  auto worker = caf::actor_cast<scorer_worker_actor>(self->current_sender());
  if (!worker) return refused(schema::ScorerPoolRefusal::NO_WORKER, "the sender is no worker");
  if (offer.getName().size() > max_worker_name_bytes) {
    return refused(schema::ScorerPoolRefusal::NAME_TOO_LONG,
                   "a worker's name has at most 64 bytes");
  }
  auto& workers = self->state.workers;
  const auto known = std::find_if(workers.begin(), workers.end(),
                                  [&](const auto& other) { return other.handle == worker; });
  if (known != workers.end()) {
    known->silent_checks = 0;
  } else if (workers.size() >= limits.max_workers) {
    return refused(schema::ScorerPoolRefusal::POOL_FULL, "the pool is full");
  } else {
    self->monitor(worker);
    workers.push_back({worker, offer.getName(), nullptr, true, 0});
    dispatch(self, limits);
  }
  return message<schema::Ack>{};
}

/// Checks that workers of other processes report themselves. The system does not notice a stopped
/// process or a cut cable.
void watch_for_silence(pool_pointer self, const scorer_pool_limits& limits) {
  constexpr unsigned checks = 3;
  self->request(limits.clock, caf::infinite, message<schema::Wait>::build([&](auto out) {
                  out.setMs(std::max(1U, limits.silence_ms / checks));
                }))
      .then([=](const message<schema::Time>&) {
        std::vector<caf::actor_addr> silent;
        for (auto& worker : self->state.workers) {
          if (worker.joined && ++worker.silent_checks > checks) {
            silent.push_back(worker.handle.address());
          }
        }
        for (const auto& gone : silent) drop_worker(self, gone, limits);
        watch_for_silence(self, limits);
      });
}

message<schema::PoolStatus> status(const scorer_pool_state& state) {
  return message<schema::PoolStatus>::build([&](auto out) {
    out.setWorkers(static_cast<std::uint32_t>(state.workers.size()));
    out.setQueued(static_cast<std::uint32_t>(state.queue.size()));
    out.setRunning(static_cast<std::uint32_t>(
        std::count_if(state.workers.begin(), state.workers.end(),
                      [](const auto& worker) { return worker.doing != nullptr; })));
    out.setDone(state.done);
    out.setRequeued(state.requeued);
  });
}

}  // namespace

scorer_actor::behavior_type scorer_pool(pool_pointer self, std::vector<scorer_worker_actor> workers,
                                        scorer_pool_limits limits) {
  name_exceptions(*self);
  self->set_down_handler([=](caf::down_msg& down) { drop_worker(self, down.source, limits); });
  for (auto& worker : workers) {
    self->monitor(worker);
    self->state.workers.push_back({worker, "local", nullptr, false, 0});
  }
  if (limits.clock) watch_for_silence(self, limits);
  return {[=](const message<schema::ScoreRequest>& request) {
            return accept<schema::ScoreRequest, schema::ScoreReport>(self, request, limits);
          },
          [=](const message<schema::CheckModel>& request) {
            return accept<schema::CheckModel, schema::ModelCheck>(self, request, limits);
          },
          [=](const message<schema::PredictRequest>& request) {
            return accept<schema::PredictRequest, schema::PredictReport>(self, request, limits);
          },
          [=](const message<schema::JoinPool>& offer) { return join(self, offer.root(), limits); },
          [=](const message<schema::GetPoolStatus>&) { return status(self->state); }};
}

}  // namespace soma::scorer
