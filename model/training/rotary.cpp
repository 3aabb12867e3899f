#include "model/training/rotary.hpp"

#include <cmath>

#include "messages/values/assert.hpp"

namespace soma::training {

rotary_table make_rotary_table(std::size_t slots, std::size_t width) {
  SOMA_ASSERT(width % 2 == 0, "rotary embedding turns pairs of features");
  std::vector<double> wavelengths;
  for (std::size_t i = 0; i < width / 2; ++i) {
    wavelengths.push_back(
        std::pow(10000.0, 2.0 * static_cast<double>(i) / static_cast<double>(width)));
  }
  rotary_table angles;
  angles.cosine.reserve(slots * wavelengths.size());
  angles.sine.reserve(slots * wavelengths.size());
  for (std::size_t position = 0; position < slots; ++position) {
    for (const double wavelength : wavelengths) {
      const double angle = static_cast<double>(position) / wavelength;
      angles.cosine.push_back(static_cast<float>(std::cos(angle)));
      angles.sine.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  return angles;
}

}  // namespace soma::training
