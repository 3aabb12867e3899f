// A team of threads that share the jobs of one round of work after another. For sources of
// model/training only. The result of a job must not depend on the worker that runs it, so that
// results do not depend on the number of threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace soma::training {

class team {
 public:
  /// `threads` counts the caller's own thread and is at least 1.
  explicit team(std::size_t threads);
  ~team();
  team(const team&) = delete;
  team& operator=(const team&) = delete;

  [[nodiscard]] std::size_t size() const { return workers_.size() + 1; }

  /// Calls work(job, worker) once for every job below `jobs`, and returns when all are done. Jobs
  /// start in ascending order. Two jobs that run at the same time have different workers below
  /// size(). Only the thread that made the team may call run(), and work must not throw.
  void run(std::size_t jobs, const std::function<void(std::size_t, std::size_t)>& work);

 private:
  void serve(std::size_t worker);
  void work_off(std::size_t worker);

  std::vector<std::thread> workers_;
  const std::function<void(std::size_t, std::size_t)>* work_ = nullptr;
  std::size_t jobs_ = 0;
  std::atomic<std::size_t> next_ = 0;     // the next job of the round
  std::atomic<std::size_t> busy_ = 0;     // workers that have not finished the round
  std::atomic<std::uint32_t> round_ = 0;  // counts the rounds, and the end of the team
  std::atomic<bool> stopping_ = false;
};

}  // namespace soma::training
