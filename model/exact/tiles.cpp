#include "model/exact/tiles.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include "messages/values/assert.hpp"
#include "model/exact/float_state.hpp"

namespace soma::exact {
namespace {

/// How often a thread polls before it sleeps: about ten microseconds. Where there are more threads
/// than processors it sleeps at once, because a thread that polls would hold up one that works.
int spins_of(std::size_t threads) {
  return threads <= std::thread::hardware_concurrency() ? 1'000 : 0;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// The tiles first .. last - 1 that a worker has left. The worker takes them from the front, and
/// other workers steal them from the back.
class tile_range {
 public:
  void set(std::uint32_t first, std::uint32_t last) {
    bits_.store(join(first, last), std::memory_order_relaxed);
  }
  bool take(std::uint32_t& tile) {
    std::uint64_t seen = bits_.load(std::memory_order_relaxed);
    while (first(seen) < last(seen)) {
      tile = first(seen);
      if (bits_.compare_exchange_weak(seen, join(first(seen) + 1, last(seen)),
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }
  /// Moves the later half of the tiles that are left, at least one, into `to`.
  bool give_half(tile_range& to) {
    std::uint64_t seen = bits_.load(std::memory_order_relaxed);
    while (first(seen) < last(seen)) {
      const std::uint32_t middle = first(seen) + (last(seen) - first(seen)) / 2;
      if (bits_.compare_exchange_weak(seen, join(first(seen), middle), std::memory_order_relaxed)) {
        to.set(middle, last(seen));
        return true;
      }
    }
    return false;
  }

 private:
  static std::uint64_t join(std::uint32_t first, std::uint32_t last) {
    return std::uint64_t{last} << 32 | first;
  }
  static std::uint32_t first(std::uint64_t bits) { return static_cast<std::uint32_t>(bits); }
  static std::uint32_t last(std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32); }

  alignas(64) std::atomic<std::uint64_t> bits_{0};
};

}  // namespace

struct tile_pool::implementation {
  explicit implementation(unsigned count) : ranges(count), spins(spins_of(count)) {}

  std::vector<tile_range> ranges;
  int spins;
  const std::function<void(std::size_t, unsigned)>* work = nullptr;
  alignas(64) std::atomic<std::uint32_t> round{0};    // counts the calls of run()
  alignas(64) std::atomic<std::uint32_t> at_work{0};  // helpers that have not finished this round
  std::atomic<bool> closing{false};
  std::vector<std::thread> helpers;

  void do_tiles(unsigned worker) {
    const float_state_guard exact_rounding;
    for (;;) {
      std::uint32_t tile = 0;
      while (ranges[worker].take(tile)) (*work)(tile, worker);
      bool found = false;
      for (std::size_t i = 1; i < ranges.size() && !found; ++i) {
        found = ranges[(worker + i) % ranges.size()].give_half(ranges[worker]);
      }
      if (!found) return;
    }
  }

  void help(unsigned worker) {
    std::uint32_t seen = 0;
    for (;;) {
      for (int i = 0; i < spins && round.load(std::memory_order_acquire) == seen; ++i) pause();
      round.wait(seen, std::memory_order_acquire);
      if (closing.load(std::memory_order_acquire)) return;
      ++seen;
      do_tiles(worker);
      if (at_work.fetch_sub(1, std::memory_order_acq_rel) == 1) at_work.notify_one();
    }
  }
};

tile_pool::tile_pool(unsigned threads)
    : implementation_(std::make_unique<implementation>(threads)) {
  SOMA_ASSERT(threads >= 1, "work needs a thread");
  for (unsigned i = 1; i < threads; ++i) {
    implementation_->helpers.emplace_back([all = implementation_.get(), i] { all->help(i); });
  }
}

tile_pool::~tile_pool() {
  implementation_->closing.store(true, std::memory_order_release);
  implementation_->round.fetch_add(1, std::memory_order_acq_rel);
  implementation_->round.notify_all();
  for (auto& helper : implementation_->helpers) helper.join();
}

unsigned tile_pool::threads() const {
  return static_cast<unsigned>(implementation_->ranges.size());
}

void tile_pool::run(std::size_t tiles,
                    const std::function<void(std::size_t tile, unsigned worker)>& work) {
  SOMA_ASSERT(tiles < UINT32_MAX, "tiles are counted in 32 bits");
  auto& in = *implementation_;
  const std::size_t count = in.ranges.size();
  if (count == 1 || tiles <= 1) {
    const float_state_guard exact_rounding;
    for (std::size_t tile = 0; tile < tiles; ++tile) work(tile, 0);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    in.ranges[i].set(static_cast<std::uint32_t>(tiles * i / count),
                     static_cast<std::uint32_t>(tiles * (i + 1) / count));
  }
  in.work = &work;
  in.at_work.store(static_cast<std::uint32_t>(count - 1), std::memory_order_relaxed);
  in.round.fetch_add(1, std::memory_order_acq_rel);
  in.round.notify_all();
  in.do_tiles(0);
  for (int i = 0; i < in.spins && in.at_work.load(std::memory_order_acquire) != 0; ++i) pause();
  for (std::uint32_t left = in.at_work.load(std::memory_order_acquire); left != 0;
       left = in.at_work.load(std::memory_order_acquire)) {
    in.at_work.wait(left, std::memory_order_acquire);
  }
}

}  // namespace soma::exact
