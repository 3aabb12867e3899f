// What scoring runs share: threads, kernels, one growing piece of memory, and SIGReg's directions
// of the batch before. The engines of one worker share a workspace, so only one of them runs at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/exact/kernels.hpp"
#include "model/exact/tiles.hpp"
#include "model/simd/float_buffer.hpp"

namespace soma::exact {

using simd::float_buffer;

class workspace {
 public:
  /// Throws std::runtime_error when SOMA_ISA names an instruction set that this processor lacks.
  explicit workspace(unsigned threads, simd::isa set = simd::chosen_isa())
      : kernels_(kernels_for(set)), pool_(threads) {}

  [[nodiscard]] const kernel_table& kernels() const { return kernels_; }
  [[nodiscard]] tile_pool& pool() { return pool_; }
  [[nodiscard]] unsigned threads() const { return pool_.threads(); }

  /// At least `count` floats that are not initialised. The memory of an earlier call is no longer
  /// valid. Throws std::bad_alloc.
  [[nodiscard]] float* memory(std::size_t count) {
    if (count > memory_.size()) {
      memory_ = {};
      memory_ = float_buffer(count);
    }
    return memory_.data();
  }
  /// SIGReg's directions for the batch of this seed (arithmetic §5.7), packed. They are kept until
  /// the directions of another seed or dim are asked for.
  [[nodiscard]] const float* directions(std::uint64_t seed, std::size_t dim);

 private:
  const kernel_table& kernels_;
  tile_pool pool_;
  float_buffer memory_;
  float_buffer directions_;
  std::uint64_t directions_seed_ = 0;
  std::size_t directions_dim_ = 0;
};

}  // namespace soma::exact
