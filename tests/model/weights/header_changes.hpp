// A small architecture, and changed headers of its files.
#pragma once

#include <doctest/doctest.h>

#include "model/weights/weights.hpp"
#include "tests/model/weights/weights_files.hpp"

namespace soma::test {

inline constexpr model_architecture small_arch{2, 8, 8 / 4, 6, 16};

inline bytes zeros_for(const model_architecture& arch) {
  return bytes(4 * weights::parameter_count(arch), 0);
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// The refusal of a file with this header.
inline weights::weights_refusal refused(const std::string& header,
                                        const model_architecture& arch = small_arch) {
  const auto result = weights::parse_weights(file_of(header, zeros_for(arch)));
  REQUIRE(!result.has_value());
  return result.error();
}

}  // namespace soma::test
