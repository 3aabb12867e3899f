// The angles of rotary position embedding for positions 0 .. slots - 1.
#pragma once

#include <cstddef>
#include <vector>

namespace soma::training {

/// Cosine and sine of position * 10000^(-2i/W), [slots][W/2] each; computed in binary64 and rounded
/// once to binary32.
struct rotary_table {
  std::vector<float> cosine, sine;
};

/// `width` is the head width W and is even.
[[nodiscard]] rotary_table make_rotary_table(std::size_t slots, std::size_t width);

}  // namespace soma::training
