// Reading and writing schema::Refusal, which every reply that can fail contains. A role decides by
// the member of the union and by its value; the sentence is for people.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "messages/schema/refusal.capnp.h"
#include "messages/values/assert.hpp"

namespace soma::inline wire {

inline constexpr std::size_t max_why_bytes = 1'024;

/// A refusal that is absent reads as one whose member is `none`.
[[nodiscard]] inline bool is_refused(schema::Refusal::Reader refusal) {
  return !refusal.isNone();
}

[[nodiscard]] inline std::string why_of(schema::Refusal::Reader refusal) {
  return {refusal.getWhy().begin(), refusal.getWhy().size()};
}

/// The longest beginning of a UTF-8 sentence that fits into the field `why` of a message.
[[nodiscard]] inline std::string bounded_why(std::string_view why) {
  auto size = std::min(why.size(), max_why_bytes);
  const auto is_cut = [&] { return size < why.size() && (why[size] & 0xc0) == 0x80; };
  while (size > 0 && is_cut()) --size;
  return std::string(why.substr(0, size));
}

/// Converts between a refusal of ours and its enum in the schema. The schema counts its names from
/// 0; ours counts them from 1, since its 0 means "not refused".
template <class SchemaEnum, class Refusal>
[[nodiscard]] SchemaEnum schema_refusal(Refusal refusal) {
  SOMA_ASSERT(static_cast<std::uint16_t>(refusal) != 0, "a refusal says what is refused");
  return static_cast<SchemaEnum>(static_cast<std::uint16_t>(refusal) - 1);
}
template <class Refusal, class SchemaEnum>
[[nodiscard]] Refusal refusal_of_schema(SchemaEnum refusal) {
  return static_cast<Refusal>(static_cast<std::uint16_t>(refusal) + 1);
}

}  // namespace soma::inline wire
