// The pool in front of the workers: a bounded queue, one piece of work a worker, and every piece
// answered exactly once. A worker that dies loses nothing: its work goes back to the head of the
// queue. One of another process that falls silent counts as dead until it joins again.
#pragma once

#include <deque>
#include <memory>
#include <variant>
#include <vector>

#include "actors/clock/clock_actor.hpp"
#include "actors/scorer/scorer_actor.hpp"
#include "actors/scorer/scorer_worker.hpp"

namespace soma::scorer {

inline constexpr std::size_t max_worker_name_bytes = 64;

struct scorer_pool_limits {
  std::size_t max_queue = 1'024;
  std::size_t max_workers = 256;
  unsigned max_attempts = 3;  // workers one piece of work may outlive
  /// One that joined shall say so again within this time. Not looked at without a clock.
  std::uint32_t silence_ms = 15'000;
  clock::clock_actor clock{};
};

/// One request and the promise of its one answer. `Request` is any of the worker's three.
template <class Request, class Reply>
struct pooled_work {
  message<Request> request;
  caf::typed_response_promise<message<Reply>> promise;
};
using any_work = std::variant<pooled_work<schema::ScoreRequest, schema::ScoreReport>,
                              pooled_work<schema::CheckModel, schema::ModelCheck>,
                              pooled_work<schema::PredictRequest, schema::PredictReport>>;

struct queued_work {
  any_work work;
  unsigned attempts = 0;
};

struct pool_worker {
  scorer_worker_actor handle;
  std::string name;
  std::shared_ptr<queued_work> doing;  // null: idle
  bool joined = false;                 // from elsewhere: has to be heard of
  unsigned silent_checks = 0;          // since it was heard of last
};

struct scorer_pool_state {
  std::deque<std::shared_ptr<queued_work>> queue;
  std::vector<pool_worker> workers;  // in the order in which they joined
  std::uint64_t done = 0;
  std::uint64_t requeued = 0;
};

scorer_actor::behavior_type scorer_pool(scorer_actor::stateful_pointer<scorer_pool_state> self,
                                        std::vector<scorer_worker_actor> workers,
                                        scorer_pool_limits limits);

}  // namespace soma::scorer
