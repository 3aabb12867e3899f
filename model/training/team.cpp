#include "model/training/team.hpp"

#include "messages/values/assert.hpp"

namespace soma::training {
namespace {

/// Waits until `watched` is no longer `value`. It polls for a while before it sleeps, since the
/// next round often begins within microseconds.
template <class Value>
void wait_while(const std::atomic<Value>& watched, Value value) {
  for (int i = 0; i < 2'000; ++i) {
    if (watched.load(std::memory_order_acquire) != value) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  watched.wait(value, std::memory_order_acquire);
}

}  // namespace

team::team(std::size_t threads) {
  SOMA_ASSERT(threads >= 1, "work needs a thread");
  for (std::size_t worker = 1; worker < threads; ++worker) {
    workers_.emplace_back([this, worker] { serve(worker); });
  }
}

team::~team() {
  stopping_ = true;
  ++round_;
  round_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void team::run(std::size_t jobs, const std::function<void(std::size_t, std::size_t)>& work) {
  if (workers_.empty() || jobs <= 1) {
    for (std::size_t job = 0; job < jobs; ++job) work(job, 0);
    return;
  }
  work_ = &work;
  jobs_ = jobs;
  next_.store(0, std::memory_order_relaxed);
  busy_.store(workers_.size(), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  work_off(0);
  for (std::size_t busy = busy_; busy != 0; busy = busy_) wait_while(busy_, busy);
}

void team::work_off(std::size_t worker) {
  for (std::size_t job = next_++; job < jobs_; job = next_++) (*work_)(job, worker);
}

void team::serve(std::size_t worker) {
  std::uint32_t seen = 0;
  for (;;) {
    wait_while(round_, seen);
    seen = round_.load(std::memory_order_acquire);
    if (stopping_) return;
    work_off(worker);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace soma::training
