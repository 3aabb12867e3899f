// A sum of arithmetic §3.1 outside the kernels: sixteen lanes, folded at the end.
#pragma once

#include <array>
#include <cstddef>

namespace soma::exact {

class lane_sum {
 public:
  /// Adds element `index` of the sum. Within each lane the indices must ascend.
  void add(std::size_t index, float value) { lanes_[index % lanes_.size()] += value; }
  [[nodiscard]] float fold() const {
    auto l = lanes_;
    for (std::size_t half = l.size() / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) l[i] += l[i + half];
    }
    return l[0];
  }

 private:
  std::array<float, 16> lanes_{};
};

}  // namespace soma::exact
