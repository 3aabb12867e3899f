// A sum by exact arithmetic §3 outside of the kernels: sixteen lanes, folded at the end.
#pragma once

#include <array>
#include <cstddef>

namespace soma::exact {

class lane_sum {
 public:
  /// Element `index` of the sum; indices ascend within each lane.
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
