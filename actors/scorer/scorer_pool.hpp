// The pool in front of the workers. It has a bounded queue, gives each worker one piece of work at
// a time, and answers every piece exactly once. When a worker dies, its work goes back to the head
// of the queue. A worker of another process that is no longer heard of counts as dead until it
// joins again.
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
  unsigned max_attempts = 3;  // work is given up when so many workers died with it
  /// A worker that joined has to repeat that within this time. It is not checked without a clock.
  std::uint32_t silence_ms = 15'000;
  clock::clock_actor clock{};
};

/// One request and the promise of its answer. `Request` is one of the three requests of a worker.
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
  std::shared_ptr<queued_work> doing;  // null while it is idle
  bool joined = false;                 // it is in another process and has to report itself
  unsigned silent_checks = 0;          // checks since it reported itself last
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
