#include "model/exact/workspace.hpp"

#include <array>
#include <cmath>

#include "model/exact/float_state.hpp"
#include "model/exact/network.hpp"
#include "model/exact/sums.hpp"
#include "model/noise/noise.hpp"

namespace soma::exact {

const float* workspace::directions(std::uint64_t seed, std::size_t dim) {
  if (directions_dim_ == dim && directions_seed_ == seed) return directions_.data();
  const float_state_guard exact_rounding;
  auto noise = noise::normals(seed, dim * sigreg_slices);
  std::vector<lane_sum> squares(sigreg_slices);  // arithmetic §5.7
  for (std::size_t d = 0; d < dim; ++d) {
    for (std::size_t k = 0; k < sigreg_slices; ++k) {
      const float z = noise[d * sigreg_slices + k];
      squares[k].add(d, z * z);
    }
  }
  std::array<float, sigreg_slices> norms;
  for (std::size_t k = 0; k < sigreg_slices; ++k) norms[k] = std::sqrt(squares[k].fold());
  for (std::size_t d = 0; d < dim; ++d) {
    for (std::size_t k = 0; k < sigreg_slices; ++k) noise[d * sigreg_slices + k] /= norms[k];
  }
  directions_dim_ = 0;
  const std::size_t floats = packed_floats(dim, sigreg_slices, kernels_.panel);
  if (directions_.size() < floats) directions_ = float_buffer(floats);
  pack_matrix(noise.data(), dim, sigreg_slices, kernels_, pool_, directions_.data());
  directions_dim_ = dim;
  directions_seed_ = seed;
  return directions_.data();
}

}  // namespace soma::exact
