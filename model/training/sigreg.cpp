#include "model/training/sigreg.hpp"

#include <cmath>

#include "messages/values/assert.hpp"

namespace soma::training {

quadrature make_quadrature(std::int64_t points) {
  SOMA_ASSERT(points >= 2, "the trapezoid rule has two ends");
  quadrature q;
  const double step = sigreg_t_max / static_cast<double>(points - 1);
  for (std::int64_t i = 0; i < points; ++i) {
    const double t = static_cast<double>(i) * step;
    const double phi = std::exp(-t * t / 2);
    const bool end = i == 0 || i == points - 1;
    q.t.push_back(static_cast<float>(t));
    q.phi.push_back(static_cast<float>(phi));
    q.weight.push_back(static_cast<float>(phi * (end ? step : 2 * step)));
  }
  return q;
}

}  // namespace soma::training
