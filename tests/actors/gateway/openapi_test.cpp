#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "actors/gateway/endpoints.hpp"
#include "tests/actors/gateway/described_answer.hpp"
#include "tests/support/json_reader.hpp"

using namespace soma;
using namespace soma::gateway;
using support::parsed_json;

namespace {

/// The names of all schemas that something below refers to.
void collect_references(const parsed_json& from, std::set<std::string>& into) {
  for (const auto& [name, member] : from.members) {
    if (name == "$ref") into.insert(member.text.substr(member.text.rfind('/') + 1));
    collect_references(member, into);
  }
  for (const auto& element : from.elements) collect_references(element, into);
}

}  // namespace

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
    CHECK(operation.has("requestBody") == (one.body.most_bytes > 0));
    std::set<std::string> forms;
    for (const auto& [status, good] : operation["responses"].members) {
      CHECK(!good["description"].text.empty());
      if (status == "default") continue;
      for (const auto& [type, form] : good["content"].members) {
        forms.insert(type);
        // A client that is generated from an object without members can read none of them.
        const auto& schema = form["schema"];
        if (one.path != "/openapi.json" && schema.has("type")) {
          CHECK(schema["type"].text == "string");
        }
      }
    }
    // The bytes of a chunk have no other form.
    const bool is_bytes_only = !one.content.empty() && one.message.empty();
    CHECK(forms.contains("application/json") == !is_bytes_only);
    if (!one.content.empty()) CHECK(forms.contains(std::string(one.content)));
    CHECK(forms.contains("application/x-capnp") == !one.message.empty());
    CHECK(operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].text ==
          "#/components/schemas/Error");
  }
  std::size_t in_document = 0;
  for (const auto& [path, verbs] : all["paths"].members) in_document += verbs.members.size();
  CHECK(in_document == endpoints().size());
}

TEST_CASE("every schema of the OpenAPI document is used, and every one that is named is there") {
  const auto document = *support::parse_json(openapi_document().text());
  std::set<std::string> named, there;
  collect_references(document, named);
  for (const auto& [name, schema] : document["components"]["schemas"].members) there.insert(name);
  CHECK(named == there);
}

TEST_CASE("an answer that the OpenAPI document does not describe is found") {
  const auto fits = [](const char* target, unsigned status, const char* body) {
    return test::misfit_of_answer(http::method::get, target, status, "application/json", body);
  };
  const std::string id = "0x" + std::string(64, '1');
  const auto state = "{\"transaction\": \"" + id + "\", \"state\": \"unknown\"";
  const auto path = "/v1/transactions/" + id;
  CHECK(fits(path.c_str(), 200, (state + "}").c_str()).empty());
  CHECK(fits(path.c_str(), 200, (state + ", \"fee_shannons\": \"9007199254740993\"}").c_str())
            .empty());
  CHECK(fits(path.c_str(), 200, "{\"state\": \"unknown\"}") == "transaction is missing");
  CHECK(fits(path.c_str(), 200, (state + ", \"more\": 1}").c_str()) == "more is not described");
  CHECK(fits(path.c_str(), 200, (state + ", \"height\": 1.5}").c_str()) ==
        "height: it is no integer");
  CHECK(fits(path.c_str(), 201, (state + "}").c_str()) == "the status 201 is not described");
  CHECK(fits(path.c_str(), 404, "{\"error\": {\"code\": \"x\", \"message\": \"y\"}}").empty());
  CHECK(!fits(path.c_str(), 404, "{\"error\": \"x\"}").empty());
}
