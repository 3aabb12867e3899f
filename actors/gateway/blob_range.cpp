#include "actors/gateway/blob_range.hpp"

#include <algorithm>
#include <charconv>

#include "messages/values/assert.hpp"

namespace soma::gateway {
namespace {

/// nullopt unless all of the text is a number. Numbers that are too large for 64 bits are larger
/// than any content, and count as the largest.
std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (text.empty() || read.ptr != end || read.ec == std::errc::invalid_argument) {
    return std::nullopt;
  }
  return read.ec == std::errc::result_out_of_range ? UINT64_MAX : number;
}

}  // namespace

blob_range range_in(std::optional<std::string_view> header, std::uint64_t size_bytes) {
  SOMA_ASSERT(size_bytes > 0, "a blob has a byte");
  const blob_range whole{range_kind::whole, 0, size_bytes - 1};
  constexpr std::string_view unit = "bytes=";
  if (!header || !header->starts_with(unit)) return whole;
  const auto text = header->substr(unit.size());
  const auto dash = text.find('-');
  if (dash == text.npos) return whole;
  const auto first = number_of(text.substr(0, dash)), last = number_of(text.substr(dash + 1));
  const bool ends_open = dash + 1 == text.size();
  if (dash == 0) {  // the last bytes
    if (!last) return whole;
    if (*last == 0) return {range_kind::not_satisfied, 0, 0};
    return {range_kind::part, size_bytes - std::min(*last, size_bytes), size_bytes - 1};
  }
  if (!first || (!last && !ends_open) || (last && *last < *first)) return whole;
  if (*first >= size_bytes) return {range_kind::not_satisfied, 0, 0};
  return {range_kind::part, *first, std::min(last.value_or(size_bytes - 1), size_bytes - 1)};
}

}  // namespace soma::gateway
