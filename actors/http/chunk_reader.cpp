#include "actors/http/chunk_reader.hpp"

#include <algorithm>
#include <string_view>

namespace soma::http {
namespace {

constexpr unsigned max_size_digits = 15;

}  // namespace

std::size_t chunk_reader::feed(byte_view arrived, std::uint64_t room_bytes, bytes& out) {
  std::size_t at = 0;
  while (at < arrived.size() && verdict_ == verdict::more) {
    if (part_ != part::data) {
      take(static_cast<char>(arrived[at++]), room_bytes);
      continue;
    }
    const auto piece = arrived.subspan(at, std::min<std::uint64_t>(arrived.size() - at, left_));
    out.insert(out.end(), piece.begin(), piece.end());
    at += piece.size();
    left_ -= piece.size();
    room_bytes -= std::min<std::uint64_t>(room_bytes, piece.size());
    if (left_ == 0) part_ = part::data_cr;
  }
  return at;
}

void chunk_reader::expect(bool right, part next) {
  if (!right) verdict_ = verdict::malformed;
  part_ = next;
}

/// One byte between the data of two chunks.
void chunk_reader::take(char c, std::uint64_t room_bytes) {
  switch (part_) {
    case part::size:
      if (c != '\r') return take_digit(c, room_bytes);
      return expect(digits_ > 0, part::size_lf);
    case part::size_lf:
      digits_ = 0;
      return expect(c == '\n', left_ > 0 ? part::data : part::last_cr);
    case part::data_cr:
      return expect(c == '\r', part::data_lf);
    case part::data_lf:
      return expect(c == '\n', part::size);
    case part::last_cr:
      return expect(c == '\r', part::last_lf);
    case part::last_lf:
      verdict_ = c == '\n' ? verdict::done : verdict::malformed;
      return;
    case part::data:
      return;
  }
}

void chunk_reader::take_digit(char c, std::uint64_t room_bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  const auto value = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
  if (value == std::string_view::npos || ++digits_ > max_size_digits) {
    verdict_ = verdict::malformed;
    return;
  }
  if (digits_ == 1) left_ = 0;
  left_ = left_ * 16 + value;
  if (left_ > room_bytes) verdict_ = verdict::too_large;
}

}  // namespace soma::http
