// The OpenAPI document of the endpoints, made from their table.
#include <algorithm>

#include "actors/gateway/endpoints.hpp"

namespace soma::gateway {
namespace {

json::value parameters_json(const endpoint& one) {
  auto all = json::value::list();
  const auto add = [&](const parameter& p, const char* where) {
    all.push(json::value::of({{"name", p.name},
                              {"in", where},
                              {"required", std::string_view(where) == "path"},
                              {"description", p.meaning},
                              {"schema", json::value::of({{"type", p.type}})}}));
  };
  for (const auto& p : one.arguments) add(p, "path");
  for (const auto& p : one.query) add(p, "query");
  for (const auto& p : one.headers) add(p, "header");
  return all;
}

json::value content_json(std::initializer_list<std::pair<std::string, std::string_view>> types) {
  json::value::object all;
  for (const auto& [type, schema] : types) {
    auto form = json::value::of({{"type", schema}});
    if (schema == "string" && type != "text/event-stream") form.set("format", "binary");
    all.emplace_back(type, json::value::of({{"schema", std::move(form)}}));
  }
  return all;
}

/// The name of an operation in the clients that are generated from the document: "getBlocksHeight".
std::string operation_of(const endpoint& one) {
  auto name = std::string(to_text(one.verb));
  std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c | 0x20); });
  bool starts = true;
  for (const char c : one.path.substr(one.path.starts_with("/v1/") ? 4 : 1)) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_letter) name += starts ? static_cast<char>(c & ~0x20) : c;
    starts = !is_letter;
  }
  return name;
}

json::value body_json(const endpoint& one) {
  if (one.id == endpoint_id::send_transaction) {
    return content_json({{"application/json", "object"}, {"application/x-capnp", "string"}});
  }
  const bool is_bytes = one.id == endpoint_id::upload_chunk;
  return content_json({{is_bytes ? "application/octet-stream" : "application/x-capnp", "string"}});
}

json::value answer_json(const endpoint& one) {
  if (one.id == endpoint_id::events) {
    return content_json({{"text/event-stream", "string"},
                         {"application/json", "object"},
                         {"application/x-capnp", "string"}});
  }
  if (one.id == endpoint_id::blob) {
    return content_json({{"application/json", "object"},
                         {"application/x-capnp", "string"},
                         {std::string(one.content), "string"}});
  }
  if (!one.content.empty()) return content_json({{std::string(one.content), "string"}});
  if (one.message.empty()) return content_json({{"application/json", "object"}});
  return content_json({{"application/json", "object"}, {"application/x-capnp", "string"}});
}

json::value operation_json(const endpoint& one) {
  auto out = json::value::of({{"operationId", operation_of(one)}, {"summary", one.summary}});
  if (!one.arguments.empty() || !one.query.empty() || !one.headers.empty()) {
    out.set("parameters", parameters_json(one));
  }
  if (one.body_bytes > 0) {
    out.set("requestBody",
            json::value::of(
                {{"required", true}, {"description", one.body}, {"content", body_json(one)}}));
  }
  auto good = json::value::of(
      {{"description", one.message.empty() ? std::string("what was asked for")
                                           : "JSON, or " + std::string(one.message)},
       {"content", answer_json(one)}});
  auto bad = json::value::of(
      {{"description", "why there is no answer"},
       {"content",
        json::value::of(
            {{"application/json",
              json::value::of(
                  {{"schema", json::value::of({{"$ref", "#/components/schemas/Error"}})}})}})}});
  out.set("responses", json::value::of({{"200", std::move(good)}, {"default", std::move(bad)}}));
  return out;
}

json::value error_schema() {
  const auto text = json::value::of({{"type", "string"}});
  const auto inner = json::value::of(
      {{"type", "object"},
       {"required", json::value::list_of(std::vector<std::string>{"code", "message"})},
       {"properties", json::value::of({{"code", text}, {"message", text}})}});
  return json::value::of({{"type", "object"},
                          {"required", json::value::list_of(std::vector<std::string>{"error"})},
                          {"properties", json::value::of({{"error", inner}})}});
}

}  // namespace

json::value openapi_document() {
  json::value::object paths;
  for (const auto& one : endpoints()) {
    auto verb = std::string(to_text(one.verb));
    std::ranges::transform(verb, verb.begin(), [](char c) { return static_cast<char>(c | 0x20); });
    auto at = std::ranges::find(paths, one.path, &json::value::member::first);
    if (at == paths.end()) {
      paths.emplace_back(std::string(one.path), json::value::object());
      at = std::prev(paths.end());
    }
    at->second.set(verb, operation_json(one));
  }
  return json::value::of(
      {{"openapi", "3.1.0"},
       {"info", json::value::of(
                    {{"title", "SOMA gateway"},
                     {"version", std::to_string(answers_version)},
                     {"description",
                      "Reads the ledger of a SOMA network, takes signed transactions and streams "
                      "what happens. Nothing that a gateway says need be believed: the answers "
                      "as messages carry what proves them."}})},
       {"paths", std::move(paths)},
       {"components",
        json::value::of({{"schemas", json::value::of({{"Error", error_schema()}})}})}});
}

}  // namespace soma::gateway
