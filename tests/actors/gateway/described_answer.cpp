#include "tests/actors/gateway/described_answer.hpp"

#include <algorithm>
#include <regex>

#include "actors/gateway/endpoints.hpp"

namespace soma::test {
namespace {

using support::parsed_json;
using kind = parsed_json::kind;

const parsed_json& document() {
  static const auto read = support::parse_json(gateway::openapi_document().text());
  return *read;
}

bool is_of_type(const std::string& type, const parsed_json& value) {
  if (type == "integer") {
    return value.type == kind::number && value.text.find_first_of(".eE") == std::string::npos;
  }
  if (type == "number") return value.type == kind::number;
  if (type == "boolean") return value.type == kind::boolean;
  if (type == "string") return value.type == kind::string;
  if (type == "array") return value.type == kind::array;
  if (type == "object") return value.type == kind::object;
  return type == "null" && value.type == kind::null;
}

std::string misfit_of_object(const parsed_json& schema, const parsed_json& value) {
  const parsed_json none;
  const auto& properties = schema.has("properties") ? schema["properties"] : none;
  if (schema.has("required")) {
    for (const auto& name : schema["required"].elements) {
      if (!value.has(name.text)) return name.text + " is missing";
    }
  }
  for (const auto& [name, member] : value.members) {
    if (!properties.has(name)) {
      if (schema.has("additionalProperties")) continue;
      return name + " is not described";
    }
    const auto why = misfit(properties[name], member);
    if (!why.empty()) return name + ": " + why;
  }
  return {};
}

std::string misfit_of_type(const parsed_json& schema, const parsed_json& value) {
  const auto& type = schema["type"];
  const bool fits =
      type.type == kind::array
          ? std::ranges::any_of(type.elements,
                                [&](const auto& one) { return is_of_type(one.text, value); })
          : is_of_type(type.text, value);
  return fits ? "" : "it is no " + (type.text.empty() ? "value of these types" : type.text);
}

}  // namespace

std::string misfit(const parsed_json& schema, const parsed_json& value) {
  if (schema.has("$ref")) {
    const auto& to = schema["$ref"].text;
    return misfit(document()["components"]["schemas"][to.substr(to.rfind('/') + 1)], value);
  }
  if (schema.has("anyOf")) {
    std::string all;
    for (const auto& one : schema["anyOf"].elements) {
      const auto why = misfit(one, value);
      if (why.empty()) return {};
      all += (all.empty() ? "" : ", or ") + why;
    }
    return all;
  }
  if (const auto why = misfit_of_type(schema, value); !why.empty()) return why;
  if (schema.has("pattern") && !std::regex_match(value.text, std::regex(schema["pattern"].text))) {
    return "it has not the form " + schema["pattern"].text;
  }
  if (schema.has("items")) {
    for (const auto& element : value.elements) {
      const auto why = misfit(schema["items"], element);
      if (!why.empty()) return "[]: " + why;
    }
  }
  return value.type == kind::object ? misfit_of_object(schema, value) : "";
}

std::string misfit_of_answer(http::method verb, std::string_view target, unsigned status,
                             std::string_view type, std::string_view body) {
  if (status == 204 || status == 304) return {};  // without content
  const auto found = gateway::match(verb, target.substr(0, target.find('?')));
  const auto value = support::parse_json(body);
  if (!found) {
    return value ? misfit(document()["components"]["schemas"]["Error"], *value) : "it is no JSON";
  }
  std::string name(to_text(found->what->verb));
  std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c | 0x20); });
  const auto& answers = document()["paths"][std::string(found->what->path)][name]["responses"];
  const auto code = std::to_string(status);
  if (!answers.has(code) && status < 300) return "the status " + code + " is not described";
  const auto& content = answers[answers.has(code) ? code : "default"]["content"];
  if (!content.has(std::string(type))) return "the type " + std::string(type) + " is not described";
  if (type != "application/json" || verb == http::method::head) return {};
  return value ? misfit(content[std::string(type)]["schema"], *value) : "it is no JSON";
}

}  // namespace soma::test
