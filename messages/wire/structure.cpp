#include "messages/wire/structure.hpp"

#include <capnp/schema.capnp.h>
#include <capnp/schema.h>

#include <map>
#include <memory>
#include <mutex>

#include "messages/values/assert.hpp"

namespace soma::inline wire {
namespace {

using which = capnp::schema::Type::Which;

class registry {
 public:
  const structure& find(capnp::StructSchema schema) {
    const std::scoped_lock lock(mutex_);
    return make(schema);
  }

 private:
  const structure& make(capnp::StructSchema schema) {
    auto& slot = known_[schema.getProto().getId()];
    if (slot) return *slot;  // also while it is being made, since schemas may refer to themselves
    slot = std::make_unique<structure>();
    structure& made = *slot;
    const auto shape = schema.getProto().getStruct();
    made.data_words = shape.getDataWordCount();
    made.pointers = shape.getPointerCount();
    made.union_members = shape.getDiscriminantCount();
    made.union_offset = shape.getDiscriminantOffset();
    SOMA_ASSERT(made.pointers <= 64, "the walk keeps one bit for each pointer of a struct");
    for (auto field : schema.getFields()) add_field(made, field);
    return made;
  }

  void add_field(structure& made, capnp::StructSchema::Field field) {
    const auto proto = field.getProto();
    field_rule rule;
    rule.discriminant = proto.getDiscriminantValue();
    const auto type = field.getType();
    if (proto.isGroup()) {
      rule.type = field_rule::kind::group;
      rule.group = &make(type.asStruct());
    } else if (type.isEnum()) {
      rule.type = field_rule::kind::enumeration;
      rule.offset = proto.getSlot().getOffset();
      rule.enum_values = static_cast<std::uint16_t>(type.asEnum().getEnumerants().size());
      rule.enum_default = proto.getSlot().getDefaultValue().getEnum();
    } else if (type.isText() || type.isData() || type.isList() || type.isStruct() ||
               type.isInterface() || type.isAnyPointer()) {
      rule.type = field_rule::kind::pointer;
      rule.offset = proto.getSlot().getOffset();
      rule.pointer = pointer_to(type);
    } else {
      return;  // a number or nothing: every bit pattern is a value
    }
    made.fields.push_back(std::move(rule));
  }

  pointer_rule pointer_to(capnp::Type type) {
    pointer_rule rule;
    if (type.isText()) {
      rule.kind = pointee::text;
    } else if (type.isData()) {
      rule.kind = pointee::data;
    } else if (type.isStruct()) {
      rule.kind = pointee::structure;
      rule.body = &make(type.asStruct());
    } else {
      SOMA_ASSERT(type.isList(), "interfaces and AnyPointer have no place in our schemas");
      list_of(rule, type.asList().getElementType());
    }
    return rule;
  }

  void list_of(pointer_rule& rule, capnp::Type element) {
    switch (element.which()) {
      case which::STRUCT:
        rule.kind = pointee::structs;
        rule.body = &make(element.asStruct());
        return;
      case which::ENUM:
        rule.kind = pointee::enums;
        rule.element_size = 3;
        rule.enum_values = static_cast<std::uint16_t>(element.asEnum().getEnumerants().size());
        return;
      case which::TEXT:
      case which::DATA:
      case which::LIST:
        rule.kind = pointee::pointers;
        rule.element.push_back(pointer_to(element));
        return;
      default:
        rule.kind = pointee::scalars;
        rule.element_size = scalar_size(element.which());
    }
  }

  static std::uint8_t scalar_size(which type) {
    switch (type) {
      case which::VOID:
        return 0;
      case which::BOOL:
        return 1;
      case which::INT8:
      case which::UINT8:
        return 2;
      case which::INT16:
      case which::UINT16:
        return 3;
      case which::INT32:
      case which::UINT32:
      case which::FLOAT32:
        return 4;
      case which::INT64:
      case which::UINT64:
      case which::FLOAT64:
        return 5;
      default:
        break;
    }
    SOMA_ASSERT(false, "interfaces and AnyPointer have no place in our schemas");
    return 0;
  }

  std::mutex mutex_;
  std::map<std::uint64_t, std::unique_ptr<structure>> known_;
};

}  // namespace

const structure& structure_of(capnp::StructSchema schema) {
  static auto& all = *new registry;  // never destroyed, since messages may outlive main
  return all.find(schema);
}

}  // namespace soma::inline wire
