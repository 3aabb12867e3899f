// Memory for matrices.
#pragma once

#include <cstddef>
#include <memory>

namespace soma::simd {

/// Floats that begin on a cache line and are not initialised. A large buffer lies on huge pages
/// where the system has them to give, since a product that walks over many small pages waits for
/// their addresses. Throws std::bad_alloc.
class float_buffer {
 public:
  float_buffer() = default;
  explicit float_buffer(std::size_t count);
  /// Null for a buffer made without a size.
  [[nodiscard]] float* data() const { return floats_.get(); }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  struct release {
    void operator()(float* floats) const;
  };
  std::unique_ptr<float[], release> floats_;
  std::size_t count_ = 0;
};

}  // namespace soma::simd
