// The forms of the JSON documents that a gateway answers with and takes, as JSON Schema. The
// OpenAPI document has them, so that programs which generate clients know every member. What must
// hold: each answer has the members that its schema names, and no others unless the schema says
// that there are more (tests/actors/gateway/openapi_test.cpp).
//
// A form is a short text: "integer", "number", "boolean", "string", "null", "object", or the name
// of a schema; "[]" behind it means a list, and "|" stands between alternatives.
#pragma once

#include <string_view>

#include "messages/json/json.hpp"

namespace soma::documents {

/// The JSON Schema of a form. Asserts that schemas with its names exist.
[[nodiscard]] json::value schema_of_form(std::string_view form);

/// All schemas by their names, as the components of an OpenAPI document.
[[nodiscard]] json::value all_schemas();

}  // namespace soma::documents
