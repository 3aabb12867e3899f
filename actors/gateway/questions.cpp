// What requests ask, read from their bytes.
#include <algorithm>

#include "actors/explain/names.hpp"
#include "actors/gateway/call.hpp"
#include "actors/public_answers/explanation.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"

namespace soma::gateway {
namespace {

constexpr std::size_t max_body_bytes = 256 * 1024;
constexpr std::size_t max_kinds = 64;

/// The body as JSON that is not deep. nullopt if it is none.
expected<json::value, json::parse_refusal> document_in(const call& asked) {
  const auto& body = asked.asked.body;
  return json::parse({reinterpret_cast<const char*>(body.data()), body.size()}, {body.size(), 4});
}

const std::string* text_in(const json::value& document, std::string_view name) {
  const auto* found = document.find(name);
  return found == nullptr ? nullptr : found->as_string();
}

template <class Question>
std::optional<message<Question>> message_in(const call& asked) {
  auto read = message<Question>::parse(asked.asked.body);
  if (read) return std::move(*read);
  reply_error(asked, 400, "bad_message", to_text(read.error()));
  return std::nullopt;
}

std::optional<message<schema::SubmitTransaction>> offer_in_json(const call& asked) {
  const auto document = document_in(asked);
  if (!document) {
    reply_error(asked, 400, "bad_json", json::to_text(document.error()));
    return std::nullopt;
  }
  const auto* signed_bytes = text_in(*document, "body");
  const auto* signature = text_in(*document, "signature");
  if (signed_bytes == nullptr || signature == nullptr) {
    reply_error(asked, 400, "bad_json", "the document has no body and signature in hex");
    return std::nullopt;
  }
  const auto data = hex_in(asked, "body", *signed_bytes, max_body_bytes);
  if (!data) return std::nullopt;
  const auto proof = hex_in(asked, "signature", *signature, 64);
  if (!proof) return std::nullopt;
  return message<schema::SubmitTransaction>::build([&](auto out) {
    out.setBody(data_of(byte_view(*data)));
    out.setSignature(data_of(byte_view(*proof)));
  });
}

/// Reads kinds of events, among which "block" may be. False: a name is none.
bool take_kinds(std::string_view names, stream_filter& into) {
  while (!names.empty()) {
    const auto one = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), one.size() + 1));
    if (one == "block") {
      into.blocks = block_wish::only;
      continue;
    }
    const auto kind = explain::event_kind_named(one);
    if (!kind || into.kinds.size() == max_kinds) return false;
    into.kinds.push_back(static_cast<schema::EventKind>(*kind));
  }
  if (into.blocks != block_wish::none && !into.kinds.empty()) into.blocks = block_wish::too;
  return true;
}

}  // namespace

void refuse(const call& to, upload_refusal why) {
  reply_error(to, status_of(why), code_of(why), to_text(why));
}

std::optional<message<schema::SubmitTransaction>> offer_in(const call& asked) {
  const auto type = asked.asked.header("content-type").value_or("");
  auto offered = type.starts_with(message_type) ? message_in<schema::SubmitTransaction>(asked)
                                                : offer_in_json(asked);
  if (!offered) return std::nullopt;
  if (offered->root().getBody().size() <= max_body_bytes &&
      offered->root().getSignature().size() == 64) {
    return offered;
  }
  reply_error(asked, 400, "bad_transaction",
              "a transaction has at most 256 KiB, and a signature of 64 bytes");
  return std::nullopt;
}

std::optional<address> address_in(const call& asked) {
  const auto document = document_in(asked);
  const auto* text = document ? text_in(*document, "address") : nullptr;
  const auto to = text == nullptr ? std::nullopt : address::parse(*text);
  if (to) return to;
  reply_error(asked, 400, "bad_address", R"(the body is not {"address": "0x and 64 hex digits"})");
  return std::nullopt;
}

std::optional<message<schema::GetProvenRows>> keys_in(const call& asked) {
  return message_in<schema::GetProvenRows>(asked);
}

std::optional<message<schema::BeginPut>> announcement_in(const call& asked, const reservation& by) {
  auto announced = message_in<schema::BeginPut>(asked);
  if (!announced) return std::nullopt;
  const auto size_bytes = announced->root().getSizeBytes();
  if (size_bytes == 0 ||
      announced->root().getChunkHashes().size() != crypto::chunk_count(size_bytes)) {
    reply_error(asked, 422, "wrong_hashes", "the hashes do not fit the size");
    return std::nullopt;
  }
  if (size_bytes == by.size_bytes) return announced;
  refuse(asked, upload_refusal::other_blob);
  return std::nullopt;
}

bool is_of(const message<schema::BeginPut>& announced, const blob_id& blob) {
  std::vector<hash256> hashes;
  for (const auto& hash : announced.root().getChunkHashes()) {
    hashes.push_back(id_or_zero<hash256>(hash));
  }
  return crypto::blob_root(announced.root().getSizeBytes(), hashes) == blob;
}

std::optional<stream_filter> filter_in(const call& asked) {
  stream_filter filter;
  if (!take_kinds(asked.asked.parameter("kind").value_or(""), filter)) {
    reply_error(asked, 400, "bad_filter", "kind names something that is no kind of event");
    return std::nullopt;
  }
  for (const auto& [name, into] :
       {std::pair{"target", &filter.target}, std::pair{"model", &filter.model},
        std::pair{"address", &filter.address}}) {
    const auto text = asked.asked.parameter(name);
    if (!text) continue;
    const auto id = id_in(asked, name, *text);
    if (!id) return std::nullopt;
    into->assign(id->value.begin(), id->value.end());
  }
  if (filter.blocks == block_wish::none) return filter;
  if (!filter.target.empty() || !filter.model.empty() || !filter.address.empty()) {
    reply_error(asked, 400, "bad_filter", "a block has no target, model or address");
    return std::nullopt;
  }
  if (asked.wanted() == format::message) {
    reply_error(asked, 400, "bad_filter", "messages of events have no blocks; ask /v1/blocks");
    return std::nullopt;
  }
  return filter;
}

std::optional<std::optional<event_place>> first_place_in(const call& asked) {
  const auto last = asked.asked.header("last-event-id");
  const auto from = asked.asked.parameter("from");
  if (!last && !from) return std::optional<event_place>();
  auto place = parse_place(last ? *last : *from);
  if (!place) {
    reply_error(asked, 400, "bad_place", "the place of an event is HEIGHT:INDEX");
    return std::nullopt;
  }
  if (last && ++place->index == 0) ++place->height;
  return place;
}

std::optional<std::uint32_t> explained_events_in(const call& asked) {
  const auto text = asked.asked.parameter("events");
  if (!text) return 0;
  const auto number = number_in(asked, "events", *text);
  if (!number) return std::nullopt;
  if (*number >= 1 && *number <= public_answers::max_explained_events) {
    return static_cast<std::uint32_t>(*number);
  }
  reply_error(asked, 400, "bad_number", "events is not from 1 to 20000");
  return std::nullopt;
}

}  // namespace soma::gateway
