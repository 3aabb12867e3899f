// Text that comes byte by byte and is shown at once. A character of several bytes is shown when its
// last byte has come.
#pragma once

#include <cstdint>
#include <string>

namespace soma::cli {

class character_stream {
 public:
  /// Takes the next byte. Returns what can be shown now: whole characters, and "·" for each byte
  /// that is not UTF-8 and for each control character but newline and tab.
  [[nodiscard]] std::string take(std::uint8_t byte);
  /// Returns what stands for the bytes of a character that was not finished.
  [[nodiscard]] std::string finish();

 private:
  std::string pending_;  // the beginning of one character
};

}  // namespace soma::cli
