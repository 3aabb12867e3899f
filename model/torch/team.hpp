// Threads that share the pieces of one piece of work after another. Inside of model/torch only.
// What a piece computes must not depend on who computes it; then results do not depend on how many
// there are.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace soma::model::twin {

class team {
 public:
  /// `threads` counts the caller's own; at least 1.
  explicit team(std::size_t threads);
  ~team();
  team(const team&) = delete;
  team& operator=(const team&) = delete;

  [[nodiscard]] std::size_t size() const { return workers_.size() + 1; }

  /// work(job, worker) for every job below `jobs`, in ascending order of starting; worker < size()
  /// is nobody else's at the time. Returns when all are done. Only from the thread that made the
  /// team; work must not throw.
  void run(std::size_t jobs, const std::function<void(std::size_t, std::size_t)>& work);

 private:
  void serve(std::size_t worker);
  void work_off(std::size_t worker);

  std::vector<std::thread> workers_;
  const std::function<void(std::size_t, std::size_t)>* work_ = nullptr;
  std::size_t jobs_ = 0;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> busy_ = 0;
  std::atomic<std::uint32_t> round_ = 0;
  std::atomic<bool> over_ = false;
};

}  // namespace soma::model::twin
