// What a schema allows, in the form that the parser's walk needs. It is made once for each type
// from the schema compiled into this program (never from anything received) and kept for the life
// of the process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/wire/parse.hpp"

namespace capnp {
class StructSchema;
}

namespace soma::inline wire {

enum class pointee : std::uint8_t { text, data, scalars, enums, pointers, structs, structure };

/// The kind of object to which a pointer may lead.
struct pointer_rule {
  pointee kind{};
  std::uint8_t element_size = 0;           // of scalars: the code in Cap'n Proto's encoding, 0 to 5
  std::uint16_t enum_values = 0;           // of enums
  const struct structure* body = nullptr;  // of structure and structs
  std::vector<pointer_rule> element;       // of pointers: exactly one
};

/// A field that a walk has to examine: an enum, a pointer, or a group with such fields of its own.
struct field_rule {
  static constexpr std::uint16_t always = 0xffff;
  std::uint16_t discriminant = always;  // present only when the union has this member
  enum class kind : std::uint8_t { enumeration, pointer, group } type{};
  std::uint32_t offset = 0;  // from the start of its section, in units of the field's size
  std::uint16_t enum_values = 0;
  std::uint16_t enum_default = 0;  // a stored value is xor-ed with it
  pointer_rule pointer;
  const struct structure* group = nullptr;
};

/// One struct, or one group within it. A group shares the sections of its struct.
struct structure {
  std::uint16_t data_words = 0;
  std::uint16_t pointers = 0;
  std::uint16_t union_members = 0;  // 0: there is no union
  std::uint32_t union_offset = 0;   // in 16-bit units
  std::vector<field_rule> fields;
};

/// Thread-safe; the result lives as long as the process. Asserts that the schema uses neither
/// interfaces nor AnyPointer.
[[nodiscard]] const structure& structure_of(capnp::StructSchema schema);

}  // namespace soma::inline wire
