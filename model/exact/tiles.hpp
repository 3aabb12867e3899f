// Threads that share out fixed tiles of work. Tiles are cut by the shape of the work alone, never
// by the number of threads, so which thread computes a tile changes nothing but the time it takes.
// Every worker begins with an even share and steals half of another's rest when its own is done.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace soma::exact {

class tile_pool {
 public:
  /// `threads` >= 1; the caller of run() is one of them.
  explicit tile_pool(unsigned threads);
  ~tile_pool();
  tile_pool(const tile_pool&) = delete;
  tile_pool& operator=(const tile_pool&) = delete;

  [[nodiscard]] unsigned threads() const;

  /// Calls work(tile, worker) once for every tile below `tiles` (< 2^32), worker < threads();
  /// returns when all are done. One call at a time. `work` must not throw. In every thread binary32
  /// and binary64 round to nearest even and keep subnormals meanwhile, whatever was set before.
  void run(std::size_t tiles, const std::function<void(std::size_t tile, unsigned worker)>& work);

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

}  // namespace soma::exact
