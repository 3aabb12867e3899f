#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "actors/gateway/endpoints.hpp"
#include "tests/support/json_reader.hpp"

using namespace soma;
using namespace soma::gateway;

TEST_CASE("the OpenAPI document has every endpoint, parameter and form, and no operation twice") {
  const auto document = support::parse_json(openapi_document().text());
  REQUIRE(document.has_value());
  const auto& all = *document;
  CHECK(all["openapi"].text == "3.1.0");
  CHECK(all["info"].has("title"));
  CHECK(all["info"].has("version"));
  REQUIRE(all["components"]["schemas"].has("Error"));
  std::set<std::string> operations;
  for (const auto& one : endpoints()) {
    CAPTURE(one.path);
    REQUIRE(all["paths"].has(std::string(one.path)));
    std::string verb(to_text(one.verb));
    std::ranges::transform(verb, verb.begin(), [](char c) { return static_cast<char>(c | 0x20); });
    const auto& operation = all["paths"][std::string(one.path)][verb];
    CHECK(operations.insert(operation["operationId"].text).second);
    CHECK(!operation["summary"].text.empty());
    std::set<std::string> told;
    if (operation.has("parameters")) {
      for (const auto& p : operation["parameters"].elements) {
        const bool is_in_path = p["in"].text == "path";
        CHECK((is_in_path || p["in"].text == "query" || p["in"].text == "header"));
        CHECK(p["required"].is_true() == is_in_path);
        CHECK(std::set<std::string>{"string", "integer", "boolean"}.contains(
            p["schema"]["type"].text));
        told.insert(p["in"].text + " " + p["name"].text);
      }
    }
    std::set<std::string> wanted;
    for (const auto& p : one.arguments) wanted.insert("path " + std::string(p.name));
    for (const auto& p : one.query) wanted.insert("query " + std::string(p.name));
    for (const auto& p : one.headers) wanted.insert("header " + std::string(p.name));
    CHECK(told == wanted);
    CHECK(operation.has("requestBody") == (one.body_bytes > 0));
    const auto& good = operation["responses"]["200"];
    CHECK(!good["description"].text.empty());
    // The bytes of a chunk have no other form.
    const bool is_bytes_only = !one.content.empty() && one.message.empty();
    CHECK(good["content"].has("application/json") == !is_bytes_only);
    if (!one.content.empty()) CHECK(good["content"].has(std::string(one.content)));
    CHECK(good["content"].has("application/x-capnp") == !one.message.empty());
    CHECK(operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].text ==
          "#/components/schemas/Error");
  }
  std::size_t in_document = 0;
  for (const auto& [path, verbs] : all["paths"].members) in_document += verbs.members.size();
  CHECK(in_document == endpoints().size());
}
