#include "actors/documents/explanation.hpp"

namespace soma::documents {
namespace {

using json::value;

value json_of(const explain::content& from) {
  return std::visit(
      [](const auto& held) -> value {
        if constexpr (requires { held.begin()->begin(); }) {
          return value::list_of(held);
        } else {
          return value(held);
        }
      },
      from);
}

value json_of(const explain::step& one) {
  value object = value::of({{"what", one.name}, {"text", one.text}});
  if (one.height) object.set("height", one.height->value);
  if (!one.section.empty()) object.set("section", one.section);
  for (const auto& f : one.fields) object.set(f.name, json_of(f.value));
  return object;
}

value json_of(const std::vector<explain::step>& steps) {
  value list = value::list();
  for (const auto& one : steps) list.push(json_of(one));
  return list;
}

}  // namespace

value explanation_json(const explain::explanation& all) {
  value object = value::of(
      {{"subject", all.subject}, {"id", all.id}, {"status", all.status}, {"summary", all.summary}});
  value facts = value::of({});
  for (const auto& f : all.facts) facts.set(f.name, json_of(f.value));
  object.set("facts", std::move(facts));
  for (const auto& p : all.passages) object.set(p.name, json_of(p.steps));
  object.set("next", json_of(all.next));
  return object;
}

}  // namespace soma::documents
