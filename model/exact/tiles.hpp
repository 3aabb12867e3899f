// A pool of threads that share out fixed tiles of work. The shape of the work alone determines the
// tiles, never the number of threads, so it changes nothing but the time which thread computes a
// tile (arithmetic §1.4). Every worker begins with an even share; when it has done its own, it
// steals half of what another worker has left.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace soma::exact {

class tile_pool {
 public:
  /// `threads` is at least 1 and counts the thread that calls run().
  explicit tile_pool(unsigned threads);
  ~tile_pool();
  tile_pool(const tile_pool&) = delete;
  tile_pool& operator=(const tile_pool&) = delete;

  [[nodiscard]] unsigned threads() const;

  /// Calls work(tile, worker) once for every tile below `tiles`, which is below 2^32, and returns
  /// when all are done. worker is below threads(). Only one call may run at a time, and `work` must
  /// not throw. During the call every thread computes in the mode of float_state.hpp.
  void run(std::size_t tiles, const std::function<void(std::size_t tile, unsigned worker)>& work);

 private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace soma::exact
