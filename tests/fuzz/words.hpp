// Changes of inputs by words of their format.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "messages/values/bytes.hpp"
#include "model/noise/noise.hpp"

namespace soma::fuzz {

/// Puts words in and over others, takes bytes away, turns bits.
[[nodiscard]] inline bytes change_words(bytes input, const std::vector<std::string>& words,
                                        noise::noise_generator& noise) {
  if (input.size() < 2) input.resize(2);
  for (auto changes = 1 + noise.below(4); changes > 0; --changes) {
    const auto at = input.begin() + static_cast<std::ptrdiff_t>(noise.below(input.size()));
    const auto& word = words[noise.below(words.size())];
    switch (noise.below(4)) {
      case 0:
        input.insert(at, word.begin(), word.end());
        break;
      case 1:
        if (input.size() > 2) input.erase(at);
        break;
      case 2: {
        const auto left = static_cast<std::size_t>(input.end() - at);
        std::copy_n(word.begin(), std::min(word.size(), left), at);
        break;
      }
      default:
        *at ^= static_cast<std::uint8_t>(1U << noise.below(8));
    }
  }
  return input;
}

}  // namespace soma::fuzz
