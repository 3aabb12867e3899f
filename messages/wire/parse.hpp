// The only entrance for foreign Cap'n Proto bytes (security §7.1 to §7.4). The result is an aligned
// copy of a message. Every word of it has been visited exactly once and compared with the schema
// compiled into this program, so that
//   - reading it afterwards can neither fail nor leave its memory, whatever is read and however
//     often;
//   - it has one encoding only, the canonical one: no hidden bytes, no shared or cyclic parts, no
//     far pointers;
//   - every enum, union member, text and list is of the kind that the schema says.
// Time and memory are linear in the size given. The size is checked against a limit before anything
// else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"

namespace soma::inline wire {

enum class parse_refusal : std::uint8_t {
  too_large,        // more bytes than this type of message may have
  not_whole_words,  // empty, or not a multiple of eight bytes
  not_one_segment,  // the segment table names more than one segment
  wrong_length,     // the segment table disagrees with the bytes that came
  out_of_bounds,    // a pointer leads outside the segment
  far_pointer,      // or a capability; a single segment of data may contain neither
  wrong_kind,       // a pointer leads to something other than what the schema says
  not_canonical,    // overlap, gap, wrong order, padding, or zeros that should have been left away
  too_deep,         // more than eight pointers below each other
  too_many_elements,  // a list whose elements take no room claims too many of them
  unknown_field,      // data or a pointer where the schema has none
  unknown_enum_value,
  unknown_union_member,
  text_not_terminated,
  text_not_utf8,
  wrong_size,  // a field of fixed size (a hash, a key) has another size
  list_too_long,
  out_of_range,  // a number or text outside what its type may hold
  another_kind,  // the frame around the message announced a message of another kind
};

[[nodiscard]] std::string_view to_text(parse_refusal refusal);

/// The longest chain of pointers in a message, including its root.
inline constexpr unsigned max_message_depth = 8;

struct structure;  // what a schema allows, see structure.hpp

/// The words of one checked message: its segment table (one word), then its segment. They are
/// immutable, and copies of the message share them.
using message_words = std::shared_ptr<const std::vector<std::uint64_t>>;

/// Checks `data` as a message of `kind` and copies it, or names why it is no such message. It never
/// throws on account of what `data` contains.
[[nodiscard]] expected<message_words, parse_refusal> parse_words(byte_view data,
                                                                 const structure& kind,
                                                                 std::size_t max_bytes);

// The two steps of the same check, for a caller that needs the message only for as long as its
// words live.

/// Checks whether `data` has a size that a message can have.
[[nodiscard]] expected<void, parse_refusal> check_size(byte_view data, std::size_t max_bytes);
/// Checks whether these words, at least one, are a message of `kind`.
[[nodiscard]] expected<void, parse_refusal> check_words(std::span<const std::uint64_t> words,
                                                        const structure& kind);

}  // namespace soma::inline wire
