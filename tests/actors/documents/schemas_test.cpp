#include "actors/documents/schemas.hpp"

#include <doctest/doctest.h>

using namespace soma::documents;

TEST_CASE("a form becomes its JSON Schema") {
  CHECK(schema_of_form("integer").text() == R"({"type": "integer"})");
  CHECK(schema_of_form("Id").text() == R"({"$ref": "#/components/schemas/Id"})");
  CHECK(schema_of_form("string[]").text() == R"({"type": "array", "items": {"type": "string"}})");
  CHECK(schema_of_form("Rows|null").text() ==
        R"({"anyOf": [{"$ref": "#/components/schemas/Rows"}, {"type": "null"}]})");
}

TEST_CASE("a schema of an object has its members, and says which may be absent") {
  const auto all = all_schemas();
  CHECK(all.find("Reason")->text() ==
        R"({"type": "object", "required": ["code", "message"], "properties": )"
        R"({"code": {"type": "string"}, "message": {"type": "string"}}})");
  CHECK(all.find("TransactionStatus")->find("required")->text() == R"(["transaction", "state"])");
  CHECK(all.find("TransactionStatus")->find_path("properties.fee_shannons.$ref") != nullptr);
  CHECK(all.find("TransactionStatus")->find("additionalProperties") == nullptr);
  CHECK(all.find("Step")->find("additionalProperties")->text() == "true");
}
