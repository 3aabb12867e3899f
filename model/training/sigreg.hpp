// The constants of SIGReg, the regularizer of the loss. It compares the characteristic function of
// projected representations with that of a standard normal at equally spaced points t of
// [0, sigreg_t_max], and integrates the squared difference by the trapezoid rule.
#pragma once

#include <cstdint>
#include <vector>

namespace soma::training {

inline constexpr double sigreg_t_max = 3.0;
inline constexpr std::int64_t sigreg_points = 17;
inline constexpr std::int64_t sigreg_slices = 256;  // random directions, K in shapes
inline constexpr float sigreg_coefficient = 0.02f;  // its weight in the loss

/// The points t, the normal's characteristic function phi(t) = e^(-t^2/2), and the weights of the
/// trapezoid rule times phi(t). Computed in binary64 and rounded once to binary32.
struct quadrature {
  std::vector<float> t, phi, weight;
};
[[nodiscard]] quadrature make_quadrature(std::int64_t points);

}  // namespace soma::training
