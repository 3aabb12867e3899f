// A queue of future events, ordered by time. Events of the same time come in the order in which
// they were pushed, so that a run does not depend on the heap.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace soma::simulation {

template <class Item>
class event_queue {
 public:
  void push(std::uint64_t time_us, Item item) {
    std::uint32_t item_index = 0;
    if (free_.empty()) {
      item_index = static_cast<std::uint32_t>(items_.size());
      items_.push_back(std::move(item));
    } else {
      item_index = free_.back();
      free_.pop_back();
      items_[item_index] = std::move(item);
    }
    heap_.push_back({time_us, order_++, item_index});
    std::ranges::push_heap(heap_, later);
  }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::uint64_t next_us() const { return heap_.front().time_us; }
  Item pop() {
    std::ranges::pop_heap(heap_, later);
    const auto item_index = heap_.back().item_index;
    heap_.pop_back();
    free_.push_back(item_index);
    return std::move(items_[item_index]);
  }

 private:
  struct entry {
    std::uint64_t time_us = 0;
    std::uint64_t order = 0;
    std::uint32_t item_index = 0;
  };
  static bool later(const entry& a, const entry& b) {
    return a.time_us != b.time_us ? a.time_us > b.time_us : a.order > b.order;
  }
  std::vector<entry> heap_;
  std::vector<Item> items_;
  std::vector<std::uint32_t> free_;
  std::uint64_t order_ = 0;
};

}  // namespace soma::simulation
