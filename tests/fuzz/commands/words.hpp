// What random command lines and configurations are made of: names of files that a sandbox has,
// numbers at the limits of their types, texts that are hard to read or to print.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/noise/noise.hpp"

namespace soma::fuzz {

/// One element of a list that is not empty.
template <class T>
[[nodiscard]] const T& one_of(const std::vector<T>& all, noise::noise_generator& noise) {
  return all[noise.below(all.size())];
}
/// True in `percent` of 100 cases.
[[nodiscard]] inline bool chance(unsigned percent, noise::noise_generator& noise) {
  return noise.below(100) < percent;
}

/// Paths relative to the folder of a sandbox (sandbox.hpp), and paths that nobody can open. None
/// of them leads to a file outside of the sandbox that could be changed or removed.
[[nodiscard]] const std::vector<std::string>& odd_paths();
/// Whole numbers and fractions at and beyond the limits of their types, and what looks like them.
[[nodiscard]] const std::vector<std::string>& odd_numbers();
[[nodiscard]] const std::vector<std::string>& odd_sizes();
/// Names, addresses, amounts, and bytes that are neither UTF-8 nor printable. None holds a zero.
[[nodiscard]] const std::vector<std::string>& odd_texts();

/// The word with one character dropped, doubled, exchanged or put in. It differs from the word.
[[nodiscard]] std::string misspelled(std::string word, noise::noise_generator& noise);

/// The word as bash reads it back, byte for byte.
[[nodiscard]] std::string shell_quoted(std::string_view word);

}  // namespace soma::fuzz
