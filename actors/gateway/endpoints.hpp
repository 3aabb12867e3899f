// The endpoints of a gateway, in one table. Routing, the limits of bodies, the OpenAPI document,
// `soma gateway endpoints` and the labels of metrics are all made from it.
//
// Facts come as JSON. With "Accept: application/x-capnp" the same answer comes as the canonical
// bytes of its message, which programs check.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/http/server.hpp"
#include "messages/json/json.hpp"

namespace soma::gateway {

/// The version of the answers as messages, in the header Soma-Answers of every response. It rises
/// when a program that was built before could misread an answer.
inline constexpr std::uint32_t answers_version = 2;

/// The media types of messages and of bytes.
inline constexpr std::string_view message_type = "application/x-capnp";
inline constexpr std::string_view bytes_type = "application/octet-stream";

enum class endpoint_id : std::uint8_t {
  network,
  genesis,
  blocks,
  certificates,
  epochs,
  row,
  rows,
  many_rows,
  listings,
  account,
  model,
  models,
  target,
  targets,
  validator,
  validators,
  explanation,
  send_transaction,
  transaction,
  events,
  faucet,
  blob,
  blob_chunk,
  blob_holders,
  begin_upload,
  upload_chunk,
  openapi,
};

struct parameter {
  std::string_view name;
  std::string_view meaning;
  std::string_view type = "string";  // as JSON Schema names it
};

/// What the body of a request is.
struct body_kind {
  std::uint32_t most_bytes = 0;  // 0: there is none
  std::string_view meaning = {};
  std::string_view type = {};  // the media type of bytes; empty: it is JSON alone
  std::string_view form = {};  // of JSON; empty: it is bytes alone
};

struct endpoint {
  endpoint_id id{};
  http::method verb = http::method::get;
  std::string_view path;  // parts in braces are arguments: "/v1/blocks/{height}"
  std::string_view summary;
  std::string_view message;  // the Cap'n Proto struct that answers "Accept: application/x-capnp"
  std::string_view answer;   // the form of the JSON that answers (documents/schemas.hpp), or empty
  std::span<const parameter> arguments;  // of the path, in their order
  std::span<const parameter> query;
  body_kind body;
  bool is_of_one_thing = false;   // such as an account, which is 404 when it is not there
  std::string_view content = {};  // the media type of an answer that is neither JSON nor a message
  std::span<const parameter> headers = {};
};

[[nodiscard]] std::span<const endpoint> endpoints();

struct matched {
  const endpoint* what = nullptr;
  std::vector<std::string> arguments;  // of the path
};

/// The endpoint of a request. HEAD is answered as GET is. The refusal is 404 for an unknown path,
/// and 405, with the methods that there are, for another method.
[[nodiscard]] expected<matched, http::response> match(http::method verb, std::string_view path);

/// The OpenAPI 3.1 document of all endpoints.
[[nodiscard]] json::value openapi_document();

}  // namespace soma::gateway
