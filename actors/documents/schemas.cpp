#include "actors/documents/schemas.hpp"

#include <algorithm>
#include <vector>

#include "messages/values/assert.hpp"

namespace soma::documents {
namespace {

using json::value;

/// A schema of an object. Its members are separated by commas: a name, with "?" if it may be
/// absent, and a form. "..." says that there are members of other names, too.
struct object_schema {
  std::string_view name, members;
};

constexpr object_schema objects[] = {
    {"Error", "error Reason"},
    {"Reason", "code string, message string"},
    {"Network",
     "name string, chain Id, height integer, last_block Id, state_root Id, time_ms integer, "
     "epoch integer, epoch_start_ms integer, epoch_end_ms integer, open_targets integer, "
     "pending_transactions integer, supply_ok boolean, peers integer, answers_version integer, "
     "build string"},
    {"Genesis", "name string, chain Id, bytes Hex"},
    {"Block",
     "height integer, epoch integer, id Id, parent Id, time_ms integer, state_root Id, "
     "transactions integer, bytes Hex"},
    {"Blocks", "blocks Block[], height integer"},
    {"Finality", "headers Hex, certificate Hex"},
    {"Certificate", "finality Finality, height integer"},
    {"Epochs", "proofs Hex[], epoch integer"},

    // Rows of the ledger, by their tables.
    {"AccountRow", "balance_shannons Amount, nonce Amount"},
    {"ValidatorRow", "stake_shannons Amount, commission_bps integer, wants_seat boolean"},
    {"ModelRow",
     "owner Id, status string, stake_shannons Amount, commission_bps integer, "
     "active_version integer, latest_version integer"},
    {"TargetRow",
     "epoch integer, opened_at integer, status string, reward_shannons Amount, "
     "radius_q30 Amount, assigned string[]"},
    {"SubmissionRow",
     "submitter Id, winner Id, bond_shannons Amount, claimed_at integer, revealed boolean"},
    {"ChainRow",
     "height integer, epoch integer, time_ms integer, active_models integer, "
     "open_targets integer"},
    {"ListRow", "ids Id[]"},
    {"UsedDataRow", "target Id"},
    {"Row", "table string, key Hex, present boolean, id? Id, row? AnyRow, value? Hex, proof? Hex"},
    {"Rows",
     "height integer, state_root Id, rows Row[], more boolean, completeness_proven? boolean, "
     "finality? Finality"},
    {"OneRow",
     "height integer, state_root Id, table string, key Hex, present boolean, id? Id, row? AnyRow, "
     "value? Hex, proof? Hex, finality? Finality"},
    {"Account",
     "height integer, state_root Id, table string, key Hex, present boolean, id Id, "
     "row? AccountRow, value? Hex, proof? Hex, finality? Finality"},
    {"Model",
     "height integer, state_root Id, table string, key Hex, present boolean, id Id, "
     "row? ModelRow, value? Hex, proof? Hex, finality? Finality"},
    {"Target",
     "height integer, state_root Id, table string, key Hex, present boolean, id Id, "
     "row? TargetRow, value? Hex, proof? Hex, finality? Finality"},
    {"Validator",
     "height integer, state_root Id, table string, key Hex, present boolean, id Id, "
     "row? ValidatorRow, value? Hex, proof? Hex, finality? Finality"},
    {"ListedRecord", "key Hex, value Hex"},
    {"Listing", "height integer, rows ListedRecord[], more boolean, proven boolean"},
    {"ModelVersion", "model Id, version integer"},
    {"OpenTarget",
     "id Id, radius_q30 Amount, reward_shannons Amount, assigned ModelVersion[], point number[]"},
    {"OpenTargets", "height integer, epoch integer, targets OpenTarget[], proven boolean"},

    {"Step", "what string, text string, height? integer, section? string, ..."},
    {"Explanation",
     "subject string, id string, status string, summary string, facts object, next Step[], "
     "proven string, ..."},
    {"Offer", "body Hex, signature Hex"},
    {"Offered", "transaction Id, state string"},
    {"TransactionStatus",
     "transaction Id, state string, height? integer, epoch? integer, fee_shannons? Amount, "
     "refusal? string, why? string"},
    {"Event",
     "place string, kind string, height integer, index integer, epoch integer, transaction? Id, "
     "target? Id, model? Id, version? integer, account? Id, other? Id, amount_shannons? Amount, "
     "refusal? integer, section? string, detail? Amount, audits_due? integer, "
     "block? Id, parent? Id, time_ms? integer, state_root? Id, transactions? integer"},
    {"EventPage", "events Event[], next string, more boolean, height integer, proven boolean"},
    {"GiftWish", "address Id"},
    {"Gift", "transaction Id, address Id, amount_shannons Amount"},
    {"Blob", "blob Id, size_bytes Amount, chunks integer, chunk_bytes integer"},
    {"Holders", "can_ask boolean, keys Id[], proven boolean"},
    {"Upload", "blob Id, complete boolean, missing_chunks integer, missing integer[]"},
};

/// The schemas that are no objects.
struct named_schema {
  std::string_view name;
  value schema;
};
std::vector<named_schema> others() {
  const auto text = [](std::string_view pattern) {
    return value::of({{"type", "string"}, {"pattern", pattern}});
  };
  // An integer that most readers of JSON would round is written as a string of its digits.
  auto amount =
      value::of({{"type", value::list_of(std::vector<std::string>{"integer", "string"})},
                 {"description", "a number from 0 on; beyond 2^53 - 1 a string of its digits"}});
  return {
      {"Id", text("^0x[0-9a-f]{64}$")},
      {"Hex", text("^0x([0-9a-f]{2})*$")},
      {"Amount", std::move(amount)},
      {"AnyRow", schema_of_form("AccountRow|ValidatorRow|ModelRow|TargetRow|SubmissionRow|ChainRow|"
                                "ListRow|UsedDataRow|null")}};
}

bool is_named(std::string_view name) {
  constexpr std::string_view no_objects[] = {"Id", "Hex", "Amount", "AnyRow"};
  return std::ranges::find(objects, name, &object_schema::name) != std::end(objects) ||
         std::ranges::find(no_objects, name) != std::end(no_objects);
}

/// Cuts off what stands before `mark`, and the mark.
std::string_view take_until(std::string_view& from, std::string_view mark) {
  const auto at = from.find(mark);
  const auto taken = from.substr(0, at);
  from.remove_prefix(at == from.npos ? from.size() : at + mark.size());
  return taken;
}

value object_json(const object_schema& from) {
  value::object properties;
  std::vector<std::string> required;
  bool has_more = false;
  for (auto rest = from.members; !rest.empty();) {
    auto form = take_until(rest, ", ");
    has_more = form == "...";
    if (has_more) continue;
    auto name = take_until(form, " ");
    const bool is_optional = name.ends_with('?');
    if (is_optional) name.remove_suffix(1);
    if (!is_optional) required.emplace_back(name);
    properties.emplace_back(std::string(name), schema_of_form(form));
  }
  auto out = value::of({{"type", "object"},
                        {"required", value::list_of(required)},
                        {"properties", std::move(properties)}});
  if (has_more) out.set("additionalProperties", true);
  return out;
}

}  // namespace

value schema_of_form(std::string_view form) {
  if (form.find('|') != form.npos) {
    auto all = value::list();
    while (!form.empty()) all.push(schema_of_form(take_until(form, "|")));
    return value::of({{"anyOf", std::move(all)}});
  }
  if (form.ends_with("[]")) {
    form.remove_suffix(2);
    return value::of({{"type", "array"}, {"items", schema_of_form(form)}});
  }
  if (form == "object") return value::of({{"type", "object"}, {"additionalProperties", true}});
  constexpr std::string_view simple[] = {"integer", "number", "boolean", "string", "null"};
  if (std::ranges::find(simple, form) != std::end(simple)) return value::of({{"type", form}});
  SOMA_ASSERT(is_named(form), "a form names a schema that there is");
  return value::of({{"$ref", "#/components/schemas/" + std::string(form)}});
}

value all_schemas() {
  value::object all;
  for (auto& one : others()) all.emplace_back(std::string(one.name), std::move(one.schema));
  for (const auto& one : objects) all.emplace_back(std::string(one.name), object_json(one));
  return all;
}

}  // namespace soma::documents
