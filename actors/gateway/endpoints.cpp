#include "actors/gateway/endpoints.hpp"

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
    {"kind",
     "kinds of events, separated by commas; default: all but `block`, which comes behind the "
     "events of each block"},
    {"target", "only events of this target"},
    {"model", "only events of this model"},
    {"address", "only events of this account"},
    {"limit", "the most events of an answer that is no stream, 1 to 1,024", "integer"}};

constexpr parameter last_event[] = {
    {"Last-Event-ID", "HEIGHT:INDEX of the last event that was seen; it counts more than from"}};

constexpr parameter root_of_blob[] = {{"root", "the name of a blob: 0x and 64 hex digits"}};
constexpr parameter chunk_of_blob[] = {
    {"root", "the name of a blob: 0x and 64 hex digits"},
    {"number", "the number of a chunk of 1 MiB, from 0 on", "integer"}};
constexpr parameter size_of_blob[] = {{"size", "the size of the blob in bytes", "integer"}};

constexpr parameter range_of_blob[] = {{"Range", "bytes=FIRST-LAST: a part of the bytes"}};
constexpr parameter reserved[] = {
    {"Soma-Reservation", "the canonical bytes of an UploadReservation in hex"}};

constexpr std::uint32_t begin_bytes = 3U << 20U;  // the hashes of 64 GiB, 40 bytes each
constexpr std::uint32_t chunk_bytes = 1U << 20U;
constexpr std::uint32_t question_bytes = 40'000;      // 256 keys of 96 bytes and their pointers
constexpr std::uint32_t transaction_bytes = 600'000;  // 256 KiB in hex, and a signature

const endpoint table[] = {
    {endpoint_id::network,
     method::get,
     "/v1/network",
     "where the chain stands: height, epoch, time to its end",
     "ChainStatus",
     "Network",
     {},
     {},
     {}},
    {endpoint_id::genesis,
     method::get,
     "/v1/genesis",
     "the genesis; the hash of its bytes names the network",
     "Genesis",
     "Genesis",
     {},
     {},
     {}},
    {endpoint_id::blocks,
     method::get,
     "/v1/blocks/{height}",
     "blocks from this height on",
     "FinalBlocks",
     "Blocks",
     height,
     limit_only,
     {}},
    {endpoint_id::certificates,
     method::get,
     "/v1/certificates/{height}",
     "what proves that the block of this height is final",
     "FinalityAnswer",
     "Certificate",
     height,
     {},
     {}},
    {endpoint_id::epochs,
     method::get,
     "/v1/epochs/{epoch}",
     "what proves the ends of the epochs from this one on, and so each next committee",
     "EpochProofs",
     "Epochs",
     epoch,
     limit_only,
     {}},
    {endpoint_id::rows,
     method::get,
     "/v1/rows",
     "rows of the ledger by the beginning of their keys",
     "ProvenRows",
     "Rows",
     {},
     row_page,
     {}},
    {endpoint_id::many_rows,
     method::post,
     "/v1/rows",
     "rows of the ledger by their keys",
     "ProvenRows",
     "Rows|OneRow",
     {},
     {},
     {question_bytes, "the canonical bytes of a GetProvenRows", message_type}},
    {endpoint_id::row,
     method::get,
     "/v1/rows/{key}",
     "one row; with Accept: application/octet-stream a file for `soma verify-proof`",
     "ProvenRows",
     "OneRow",
     key,
     proof_only,
     {}},
    {endpoint_id::listings,
     method::get,
     "/v1/listings/{name}",
     "records of an index of rows, which nothing proves",
     "Rows",
     "Listing",
     index,
     index_page,
     {}},
    {endpoint_id::account,
     method::get,
     "/v1/accounts/{address}",
     "an account",
     "ProvenRows",
     "Account",
     id_of_account,
     proof_only,
     {},
     true},
    {endpoint_id::models,
     method::get,
     "/v1/models",
     "the models, in the order of their ids",
     "ProvenRows",
     "Rows",
     {},
     page,
     {}},
    {endpoint_id::model,
     method::get,
     "/v1/models/{id}",
     "a model",
     "ProvenRows",
     "Model",
     id_of_model,
     proof_only,
     {},
     true},
    {endpoint_id::targets,
     method::get,
     "/v1/targets",
     "the open targets, in the order of their ids",
     "OpenTargets",
     "OpenTargets",
     {},
     open_only,
     {}},
    {endpoint_id::target,
     method::get,
     "/v1/targets/{id}",
     "a target",
     "ProvenRows",
     "Target",
     id_of_target,
     proof_only,
     {},
     true},
    {endpoint_id::validators,
     method::get,
     "/v1/validators",
     "the validators, in the order of their addresses",
     "ProvenRows",
     "Rows",
     {},
     page,
     {}},
    {endpoint_id::validator,
     method::get,
     "/v1/validators/{address}",
     "a validator",
     "ProvenRows",
     "Validator",
     id_of_account,
     proof_only,
     {},
     true},
    {endpoint_id::explanation,
     method::get,
     "/v1/explain/{what}",
     "why a target, a model or an address was paid or not, or what an epoch did; nothing proves it",
     "Explanation",
     "Explanation",
     what,
     event_count,
     {}},
    {endpoint_id::send_transaction,
     method::post,
     "/v1/transactions",
     "offers a signed transaction",
     "SubmitReceipt",
     "Offered",
     {},
     {},
     {transaction_bytes,
      "the canonical bytes of a SubmitTransaction, or JSON: {\"body\": hex, \"signature\": hex}",
      message_type, "Offer"}},
    {endpoint_id::transaction,
     method::get,
     "/v1/transactions/{id}",
     "what became of a transaction",
     "TransactionStatus",
     "TransactionStatus",
     id_of_transaction,
     waiting,
     {}},
    {endpoint_id::events,
     method::get,
     "/v1/events",
     "a stream of what happens (server-sent events), resumed by Last-Event-ID; one page of it with "
     "Accept: application/json",
     "EventPage",
     "EventPage",
     {},
     event_filter,
     {},
     false,
     {},
     last_event},
    {endpoint_id::faucet,
     method::post,
     "/v1/faucet",
     "gives money to an address, once a day, on networks that have a faucet",
     {},
     "Gift",
     {},
     {},
     {1'024, "JSON: {\"address\": an address}", {}, "GiftWish"}},
    {endpoint_id::blob,
     method::get,
     "/v1/blobs/{root}",
     "a blob: its size; with Accept: application/octet-stream or a Range its bytes",
     "BlobDescription",
     "Blob",
     root_of_blob,
     {},
     {},
     true,
     bytes_type,
     range_of_blob},
    {endpoint_id::blob_chunk,
     method::get,
     "/v1/blobs/{root}/chunks/{number}",
     "the bytes of a chunk of a blob",
     {},
     {},
     chunk_of_blob,
     {},
     {},
     true,
     bytes_type},
    {endpoint_id::blob_holders,
     method::get,
     "/v1/blobs/{root}/holders",
     "the consensus keys of the validators that say that they have a blob, which nothing proves",
     "Holders",
     "Holders",
     root_of_blob,
     size_of_blob,
     {}},
    {endpoint_id::begin_upload,
     method::put,
     "/v1/blobs/{root}",
     "begins an upload, or goes on with one, for an account that reserves it in the header "
     "Soma-Reservation",
     "PutProgress",
     "Upload",
     root_of_blob,
     {},
     {begin_bytes, "the canonical bytes of a BeginPut", message_type},
     false,
     {},
     reserved},
    {endpoint_id::upload_chunk,
     method::put,
     "/v1/blobs/{root}/chunks/{number}",
     "puts a chunk of a blob whose upload has begun, with the same header",
     "PutProgress",
     "Upload",
     chunk_of_blob,
     {},
     {chunk_bytes, "the bytes of the chunk", bytes_type},
     false,
     {},
     reserved},
    {endpoint_id::openapi,
     method::get,
     "/openapi.json",
     "this document",
     {},
     "object",
     {},
     {},
     0,
     {}},
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

}  // namespace soma::gateway
