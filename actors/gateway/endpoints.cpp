#include "actors/gateway/endpoints.hpp"

#include <algorithm>
#include <optional>

namespace soma::gateway {
namespace {

using http::method;

constexpr parameter height[] = {{"height", "the height of a block, from 1 on", "integer"}};
constexpr parameter epoch[] = {{"epoch", "the number of an epoch", "integer"}};
constexpr parameter id_of_account[] = {{"address", "an address: 0x and 64 hex digits"}};
constexpr parameter id_of_model[] = {{"id", "the id of a model: 0x and 64 hex digits"}};
constexpr parameter id_of_target[] = {{"id", "the id of a target: 0x and 64 hex digits"}};
constexpr parameter id_of_transaction[] = {{"id", "the id of a transaction: 0x and 64 hex digits"}};
constexpr parameter key[] = {{"key", "the key of a row in hex, 1 to 96 bytes"}};
constexpr parameter index[] = {
    {"name", "targets-by-epoch, targets-undecided, target-counts or model-counts"}};

constexpr parameter what[] = {
    {"what", "the number of an epoch, or 0x and the first 8 to 64 hex digits of an id"}};

constexpr parameter event_count[] = {
    {"events", "how many of the latest events of a model or an address to read, 1 to 20,000",
     "integer"}};
constexpr parameter limit_only[] = {{"limit", "the most entries in the answer", "integer"}};
constexpr parameter page[] = {
    {"after", "the last id of the page before"},
    {"limit", "the most entries in the answer, 1 to 256; default 100", "integer"}};
constexpr parameter proof_only[] = {{"proof", "with what proves the row", "boolean"}};
constexpr parameter row_page[] = {
    {"prefix", "the beginning of the keys in hex, 1 to 96 bytes"},
    {"after", "the last key of the page before, in hex"},
    {"limit", "the most rows in the answer, 1 to 256; default 100", "integer"},
    {"proof", "with what proves each row", "boolean"}};
constexpr parameter index_page[] = {
    {"prefix", "the beginning of the keys in hex; may be empty"},
    {"after", "the last key of the page before, in hex"},
    {"limit", "the most records in the answer, 1 to 1,024; default 100", "integer"}};
constexpr parameter open_only[] = {
    {"limit", "the most targets in the answer, 1 to 1,024; default 100", "integer"}};
constexpr parameter waiting[] = {
    {"wait", "how many milliseconds to wait for a block, at most 30,000", "integer"}};
constexpr parameter event_filter[] = {
    {"from", "HEIGHT:INDEX, the first place that is wanted; default: what happens from now on"},
    {"kind", "kinds of events, separated by commas; default: all"},
    {"target", "only events of this target"},
    {"model", "only events of this model"},
    {"address", "only events of this account"},
    {"limit", "the most events of an answer that is no stream, 1 to 1,024", "integer"}};

constexpr std::uint32_t question_bytes = 40'000;      // 256 keys of 96 bytes and their pointers
constexpr std::uint32_t transaction_bytes = 600'000;  // 256 KiB in hex, and a signature

const endpoint table[] = {
    {endpoint_id::network,
     method::get,
     "/v1/network",
     "where the chain stands: height, epoch, time to its end",
     "ChainStatus",
     {},
     {},
     0,
     {}},
    {endpoint_id::genesis,
     method::get,
     "/v1/genesis",
     "the genesis; the hash of its bytes names the network",
     "Genesis",
     {},
     {},
     0,
     {}},
    {endpoint_id::blocks,
     method::get,
     "/v1/blocks/{height}",
     "blocks from this height on",
     "FinalBlocks",
     height,
     limit_only,
     0,
     {}},
    {endpoint_id::certificates,
     method::get,
     "/v1/certificates/{height}",
     "what proves that the block of this height is final",
     "FinalityAnswer",
     height,
     {},
     0,
     {}},
    {endpoint_id::epochs,
     method::get,
     "/v1/epochs/{epoch}",
     "what proves the ends of the epochs from this one on, and so each next committee",
     "EpochProofs",
     epoch,
     limit_only,
     0,
     {}},
    {endpoint_id::rows,
     method::get,
     "/v1/rows",
     "rows of the ledger by the beginning of their keys",
     "ProvenRows",
     {},
     row_page,
     0,
     {}},
    {endpoint_id::many_rows,
     method::post,
     "/v1/rows",
     "rows of the ledger by their keys",
     "ProvenRows",
     {},
     {},
     question_bytes,
     "the canonical bytes of a GetProvenRows"},
    {endpoint_id::row,
     method::get,
     "/v1/rows/{key}",
     "one row; with Accept: application/octet-stream a file for `soma verify-proof`",
     "ProvenRows",
     key,
     proof_only,
     0,
     {}},
    {endpoint_id::listings,
     method::get,
     "/v1/listings/{name}",
     "records of an index of rows, which nothing proves",
     "Rows",
     index,
     index_page,
     0,
     {}},
    {endpoint_id::account,
     method::get,
     "/v1/accounts/{address}",
     "an account",
     "ProvenRows",
     id_of_account,
     proof_only,
     0,
     {},
     true},
    {endpoint_id::models,
     method::get,
     "/v1/models",
     "the models, in the order of their ids",
     "ProvenRows",
     {},
     page,
     0,
     {}},
    {endpoint_id::model,
     method::get,
     "/v1/models/{id}",
     "a model",
     "ProvenRows",
     id_of_model,
     proof_only,
     0,
     {},
     true},
    {endpoint_id::targets,
     method::get,
     "/v1/targets",
     "the open targets, in the order of their ids",
     "OpenTargets",
     {},
     open_only,
     0,
     {}},
    {endpoint_id::target,
     method::get,
     "/v1/targets/{id}",
     "a target",
     "ProvenRows",
     id_of_target,
     proof_only,
     0,
     {},
     true},
    {endpoint_id::validators,
     method::get,
     "/v1/validators",
     "the validators, in the order of their addresses",
     "ProvenRows",
     {},
     page,
     0,
     {}},
    {endpoint_id::validator,
     method::get,
     "/v1/validators/{address}",
     "a validator",
     "ProvenRows",
     id_of_account,
     proof_only,
     0,
     {},
     true},
    {endpoint_id::explanation,
     method::get,
     "/v1/explain/{what}",
     "why a target, a model or an address was paid or not, or what an epoch did; nothing proves it",
     "Explanation",
     what,
     event_count,
     0,
     {}},
    {endpoint_id::send_transaction,
     method::post,
     "/v1/transactions",
     "offers a signed transaction",
     "SubmitReceipt",
     {},
     {},
     transaction_bytes,
     "the canonical bytes of a SubmitTransaction, or JSON: {\"body\": hex, \"signature\": hex}"},
    {endpoint_id::transaction,
     method::get,
     "/v1/transactions/{id}",
     "what became of a transaction",
     "TransactionStatus",
     id_of_transaction,
     waiting,
     0,
     {}},
    {endpoint_id::events,
     method::get,
     "/v1/events",
     "a stream of what happens (server-sent events), resumed by Last-Event-ID; one page of it with "
     "Accept: application/json",
     "EventPage",
     {},
     event_filter,
     0,
     {}},
    {endpoint_id::faucet,
     method::post,
     "/v1/faucet",
     "gives money to an address, once a day, on networks that have a faucet",
     {},
     {},
     {},
     1'024,
     "JSON: {\"address\": an address}"},
    {endpoint_id::openapi, method::get, "/openapi.json", "this document", {}, {}, {}, 0, {}},
};

/// The arguments of `path`, if it has the form of the template.
std::optional<std::vector<std::string>> arguments_of(std::string_view form, std::string_view path) {
  std::vector<std::string> found;
  while (!form.empty() || !path.empty()) {
    if (form.empty() || path.empty()) return std::nullopt;
    const auto wanted = form.substr(1, form.find('/', 1) - 1);
    const auto given = path.substr(1, path.find('/', 1) - 1);
    if (wanted.starts_with('{')) {
      if (given.empty()) return std::nullopt;
      found.emplace_back(given);
    } else if (wanted != given) {
      return std::nullopt;
    }
    form.remove_prefix(1 + wanted.size());
    path.remove_prefix(1 + given.size());
  }
  return found;
}

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

json::value operation_json(const endpoint& one) {
  auto out = json::value::of({{"operationId", operation_of(one)}, {"summary", one.summary}});
  if (!one.arguments.empty() || !one.query.empty()) out.set("parameters", parameters_json(one));
  if (one.body_bytes > 0) {
    auto types =
        one.id == endpoint_id::send_transaction
            ? content_json({{"application/json", "object"}, {"application/x-capnp", "string"}})
            : content_json({{"application/x-capnp", "string"}});
    out.set("requestBody",
            json::value::of(
                {{"required", true}, {"description", one.body}, {"content", std::move(types)}}));
  }
  auto content =
      one.message.empty()
          ? content_json({{"application/json", "object"}})
          : content_json({{"application/json", "object"}, {"application/x-capnp", "string"}});
  if (one.id == endpoint_id::events) {
    content = content_json({{"text/event-stream", "string"},
                            {"application/json", "object"},
                            {"application/x-capnp", "string"}});
  }
  auto good = json::value::of(
      {{"description",
        one.message.empty() ? std::string("the document") : "JSON, or " + std::string(one.message)},
       {"content", std::move(content)}});
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

std::span<const endpoint> endpoints() {
  return table;
}

expected<matched, http::response> match(http::method verb, std::string_view path) {
  const auto wanted = verb == method::head ? method::get : verb;
  std::string allowed;
  for (const auto& one : table) {
    auto arguments = arguments_of(one.path, path);
    if (!arguments) continue;
    if (one.verb == wanted) return matched{&one, std::move(*arguments)};
    allowed += (allowed.empty() ? "" : ", ") + std::string(to_text(one.verb));
  }
  if (allowed.empty()) {
    return make_unexpected(http::error_response(
        404, "no_such_path",
        "there is no such path; /openapi.json describes those that there are"));
  }
  auto refused = http::error_response(405, "method_not_allowed", "this path takes " + allowed);
  refused.headers.emplace_back("Allow", allowed);
  return make_unexpected(std::move(refused));
}

json::value openapi_document() {
  json::value::object paths;
  for (const auto& one : table) {
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
