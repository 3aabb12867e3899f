// The OpenAPI document of the endpoints, made from their table.
#include <algorithm>

#include "actors/documents/schemas.hpp"
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

/// Adds a form to those that a body or an answer may have.
void add_form(json::value& forms, std::string_view type, json::value schema) {
  forms.set(std::string(type), json::value::of({{"schema", std::move(schema)}}));
}
void add_json(json::value& forms, std::string_view form) {
  add_form(forms, "application/json", documents::schema_of_form(form));
}
void add_bytes(json::value& forms, std::string_view type) {
  add_form(forms, type, json::value::of({{"type", "string"}, {"format", "binary"}}));
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
  auto forms = json::value::of({});
  if (!one.body.form.empty()) add_json(forms, one.body.form);
  if (!one.body.type.empty()) add_bytes(forms, one.body.type);
  return json::value::of(
      {{"required", true}, {"description", one.body.meaning}, {"content", std::move(forms)}});
}

/// The good answers by their status. The header Accept of the question chooses the form.
json::value good_answers(const endpoint& one) {
  auto forms = json::value::of({});
  // What was taken is not done yet, and JSON says so by its status. Messages say it themselves.
  const bool is_promise = one.id == endpoint_id::send_transaction || one.id == endpoint_id::faucet;
  auto all = json::value::of({});
  const auto add = [&](const char* status, std::string_view meaning, json::value content) {
    all.set(status, json::value::of({{"description", meaning}, {"content", std::move(content)}}));
  };
  if (one.id == endpoint_id::events) {
    add_form(forms, "text/event-stream", json::value::of({{"type", "string"}}));
  }
  if (is_promise) {
    auto promise = json::value::of({});
    add_json(promise, one.answer);
    add("202", "it was taken, and is done when a block has it", std::move(promise));
  } else if (!one.answer.empty()) {
    add_json(forms, one.answer);
  }
  if (!one.message.empty()) add_bytes(forms, message_type);
  const bool has_file = one.id == endpoint_id::row;
  if (!one.content.empty() || has_file) add_bytes(forms, bytes_type);
  if (!forms.as_object()->empty()) {
    add("200", one.message.empty() ? "what was asked for" : "JSON, or " + std::string(one.message),
        std::move(forms));
  }
  if (one.id == endpoint_id::blob) {
    auto part = json::value::of({});
    add_bytes(part, one.content);
    add("206", "the part that the header Range wants", std::move(part));
  }
  return all;
}

json::value operation_json(const endpoint& one) {
  auto out = json::value::of({{"operationId", operation_of(one)}, {"summary", one.summary}});
  if (!one.arguments.empty() || !one.query.empty() || !one.headers.empty()) {
    out.set("parameters", parameters_json(one));
  }
  if (one.body.most_bytes > 0) out.set("requestBody", body_json(one));
  auto why_not = json::value::of({});
  add_json(why_not, "Error");
  auto answers = good_answers(one);
  answers.set("default", json::value::of({{"description", "why there is no answer"},
                                          {"content", std::move(why_not)}}));
  out.set("responses", std::move(answers));
  return out;
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
       {"components", json::value::of({{"schemas", documents::all_schemas()}})}});
}

}  // namespace soma::gateway
