// Which bytes of a blob a request wants: the header Range of HTTP (RFC 9110, section 14).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace soma::gateway {

enum class range_kind : std::uint8_t {
  whole,          // no range, or one that need not be understood: several, or another unit
  part,           // first to last, both of them included
  not_satisfied,  // a range of which the content has no byte
};

struct blob_range {
  range_kind kind = range_kind::whole;
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // of a whole content the last byte, too

  [[nodiscard]] std::uint64_t size() const { return last - first + 1; }
};

/// Reads the header. The content has `size_bytes`, at least 1. A range that reaches beyond the end
/// ends there.
[[nodiscard]] blob_range range_in(std::optional<std::string_view> header, std::uint64_t size_bytes);

}  // namespace soma::gateway
