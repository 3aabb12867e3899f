// The JSON header of a safetensors file. It comes from strangers (security §9.1), so it is read
// strictly: without recursion, without allocating more than its own size, and with a named refusal
// for every malformed header.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "messages/values/expected.hpp"

namespace soma::weights {

enum class weights_refusal : std::uint8_t {
  cannot_open,
  cannot_read,
  file_changed,
  too_short,
  header_too_long,
  header_past_end,
  header_not_aligned,
  header_not_json,
  duplicate_key,
  too_many_tensors,
  bad_tensor_entry,
  dtype_not_f32,
  rank_too_large,
  size_overflow,
  size_mismatch,
  offsets_overlap,
  offsets_hole,
  data_past_end,
  trailing_bytes,
  bad_metadata,
  missing_tensor,
  unexpected_tensor,
  wrong_shape,
  invalid_architecture,
  value_not_finite,
};
/// A sentence for people, without its full stop.
[[nodiscard]] std::string_view to_text(weights_refusal refusal);

inline constexpr std::uint64_t max_header_bytes = 1u << 20;
inline constexpr std::size_t max_tensors = 4'096;
inline constexpr std::size_t max_rank = 4;

struct tensor_entry {
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;  // bytes from the end of the header
  std::uint64_t end = 0;
};

struct safetensors_header {
  std::map<std::string, tensor_entry, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// `text` is the header without its length, and `data_bytes` is the size of what follows it in the
/// file. The tensors of a header that is returned cover the data exactly: their type is F32, end -
/// begin = 4 * product(shape), and they neither overlap nor leave bytes out.
[[nodiscard]] expected<safetensors_header, weights_refusal> parse_header(std::string_view text,
                                                                         std::uint64_t data_bytes);

}  // namespace soma::weights
