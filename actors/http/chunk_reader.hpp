// Reads a body that comes in chunks, strictly: a size in hex digits, CR LF, as many bytes, CR LF;
// and at the end 0, CR LF, CR LF. Extensions and trailers are refused, since programs disagree on
// where they end. Requests and responses share it. Boost.Beast 1.81 is not used here. It takes
// both, and ends the program by an assertion when a last chunk comes in pieces of a certain size.
#pragma once

#include <cstdint>

#include "messages/values/bytes.hpp"

namespace soma::http {

class chunk_reader {
 public:
  enum class verdict : std::uint8_t { more, done, malformed, too_large };

  /// Takes bytes up to the end of the body, appends the content to `out`, and returns how many
  /// bytes it has taken. A chunk that would be larger than `room_bytes` is too large by its size
  /// alone.
  [[nodiscard]] std::size_t feed(byte_view arrived, std::uint64_t room_bytes, bytes& out);
  [[nodiscard]] verdict now() const { return verdict_; }

 private:
  enum class part : std::uint8_t { size, size_lf, data, data_cr, data_lf, last_cr, last_lf };

  void take(char c, std::uint64_t room_bytes);
  void take_digit(char c, std::uint64_t room_bytes);
  void expect(bool right, part next);

  verdict verdict_ = verdict::more;
  part part_ = part::size;
  unsigned digits_ = 0;
  std::uint64_t left_ = 0;  // bytes of the present chunk that are missing
};

}  // namespace soma::http
