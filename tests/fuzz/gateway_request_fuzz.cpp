#include <algorithm>

#include "actors/gateway/blob_range.hpp"
#include "actors/gateway/call.hpp"
#include "actors/http/target.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/values/utf8.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/fuzz/words.hpp"

namespace soma::fuzz {
namespace {

using gateway::call;
using gateway::endpoint_id;

/// A request in the form of the inputs: "GET target", lines "name: value", an empty line, the body.
std::optional<http::request> request_of(byte_view input) {
  std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const auto line = [&] {
    const auto found = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), found.size() + 1));
    return found;
  };
  http::request out;
  const auto first = line();
  const auto blank = first.find(' ');
  const auto verb = http::parse_method(first.substr(0, blank));
  if (!verb || blank == first.npos) return std::nullopt;
  auto target = http::parse_target(first.substr(blank + 1));
  if (!target) return std::nullopt;
  out.verb = *verb;
  out.path = std::move(target->path);
  out.query = std::move(target->query);
  out.peer = "192.0.2.1";
  for (auto header = line(); !header.empty(); header = line()) {
    const auto colon = header.find(": ");
    if (colon == header.npos) continue;
    out.headers.emplace_back(header.substr(0, colon), header.substr(colon + 2));
  }
  const auto rest = as_bytes(text);
  out.body.assign(rest.begin(), rest.end());
  return out;
}

/// A call, and what was answered to it.
struct heard_call {
  std::shared_ptr<http::exchange> behind = std::make_shared<http::exchange>(
      std::make_shared<http::memory_budget>(1U << 24U), 1U << 24U, [] {});
  call is;
  std::optional<http::response> refusal() {
    auto got = behind->take_answer();
    return got ? std::optional(std::move(got->head)) : std::nullopt;
  }
};

/// Whoever reads the question for `read` either has it, or has refused the request by name.
template <class Read>
std::string check_reading(const call& like, Read read) {
  heard_call heard;
  heard.is.what = like.what;
  heard.is.arguments = like.arguments;
  heard.is.asked = like.asked;
  heard.is.to = http::responder(heard.behind);
  const auto question = read(heard.is);
  const auto refusal = heard.refusal();
  if (question.has_value() == refusal.has_value()) return "neither a question nor a refusal";
  if (!refusal) return "";
  if (refusal->status < 400 || refusal->status >= 500) return "a refusal that blames the gateway";
  const auto body = refusal->body_view();
  const auto document =
      json::parse({reinterpret_cast<const char*>(body.data()), body.size()}, {1U << 16U, 8});
  const auto* error = document ? document->find("error") : nullptr;
  if (error == nullptr || error->find("code") == nullptr) return "a refusal without a name";
  return "";
}

/// A message that is passed on is one that other programs take.
template <class Question>
std::string check_message(const std::optional<message<Question>>& read) {
  if (!read) return "";
  const auto view = read->bytes();
  const auto again = message<Question>::parse(view);
  if (!again) return "a question that no role takes";
  return std::ranges::equal(again->bytes(), view) ? "" : "a question that changes";
}

std::string check_body(const call& asked) {
  std::string wrong;
  const auto first = [&](std::string found) {
    if (wrong.empty()) wrong = std::move(found);
  };
  switch (asked.what->id) {
    case endpoint_id::send_transaction:
      first(check_reading(asked, [&](const call& one) {
        auto read = offer_in(one);
        first(check_message(read));
        if (read && read->root().getSignature().size() != 64) first("another signature");
        return read;
      }));
      break;
    case endpoint_id::faucet:
      first(check_reading(asked, [](const call& one) { return address_in(one); }));
      break;
    case endpoint_id::many_rows:
      first(check_reading(asked, [&](const call& one) {
        auto read = keys_in(one);
        first(check_message(read));
        return read;
      }));
      break;
    case endpoint_id::begin_upload: {
      const auto by = gateway::read_reservation(asked.asked.header("soma-reservation"));
      if (!by) break;
      first(check_reading(asked, [&](const call& one) {
        auto read = announcement_in(one, *by);
        first(check_message(read));
        if (read && crypto::chunk_count(by->size_bytes) != read->root().getChunkHashes().size()) {
          first("an announcement of another size");
        }
        if (read) static_cast<void>(gateway::is_of(*read, by->blob));
        return read;
      }));
      break;
    }
    default:
      break;
  }
  return wrong;
}

std::string check_filter(const call& asked) {
  std::string wrong;
  const auto first = [&](std::string found) {
    if (wrong.empty()) wrong = std::move(found);
  };
  first(check_reading(asked, [&](const call& one) {
    const auto filter = filter_in(one);
    if (!filter) return filter;
    if (filter->kinds.size() > 64) first("too many kinds");
    for (const auto* id : {&filter->target, &filter->model, &filter->address}) {
      if (!id->empty() && id->size() != 32) first("an id of another size");
    }
    first(check_message(std::optional(page_question(*filter, {}, 100))));
    return filter;
  }));
  first(check_reading(asked, [](const call& one) { return first_place_in(one); }));
  first(check_reading(asked, [](const call& one) { return explained_events_in(one); }));
  return wrong;
}

/// Every parameter as everything that a parameter can be.
std::string check_values(const call& asked) {
  std::string wrong;
  const auto first = [&](std::string found) {
    if (wrong.empty()) wrong = std::move(found);
  };
  auto values = asked.arguments;
  for (const auto& [name, value] : asked.asked.query) values.push_back(value);
  for (const auto& value : values) {
    if (!is_utf8(value)) return "a parameter that is no text";
    first(check_reading(asked, [&](const call& one) { return number_in(one, "x", value); }));
    first(check_reading(asked, [&](const call& one) { return id_in(one, "x", value); }));
    first(check_reading(asked, [&](const call& one) {
      const auto read = hex_in(one, "x", value, 96);
      if (read && read->size() > 96) first("more bytes than may be");
      return read;
    }));
  }
  first(check_reading(asked, [&](const call& one) {
    const auto limit = limit_of(one, 100, 256);
    if (limit && (*limit < 1 || *limit > 256)) first("a limit beyond its limits");
    return limit;
  }));
  first(check_reading(asked, [](const call& one) { return switch_in(one, "proof"); }));
  return wrong;
}

std::string check_range(const call& asked) {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{5'000'000}, UINT64_MAX}) {
    const auto range = gateway::range_in(asked.asked.header("range"), size);
    if (range.kind != gateway::range_kind::part) continue;
    if (range.first > range.last || range.last >= size) return "a range beyond the blob";
  }
  return "";
}

}  // namespace

std::string check_gateway_request(byte_view input) {
  auto request = request_of(input);
  if (!request) return "";
  auto found = gateway::match(request->verb, request->path);
  if (!found) return found.error().status >= 400 ? "" : "a refusal without reason";
  if (request->body.size() > found->what->body.most_bytes) return "";
  call asked;
  asked.what = found->what;
  asked.arguments = std::move(found->arguments);
  asked.asked = std::move(*request);
  if (asked.arguments.size() != asked.what->arguments.size()) return "arguments are missing";
  static_cast<void>(asked.wanted());
  auto wrong = check_body(asked);
  if (wrong.empty()) wrong = check_filter(asked);
  if (wrong.empty()) wrong = check_values(asked);
  if (wrong.empty()) wrong = check_range(asked);
  return wrong;
}

std::map<std::string, bytes> gateway_request_seeds() {
  const std::string id = "0x" + std::string(64, 'a');
  const auto with = [](std::string text, byte_view body) {
    bytes out(text.begin(), text.end());
    out.insert(out.end(), body.begin(), body.end());
    return out;
  };
  const auto plain = [&](const std::string& text) { return with(text, {}); };
  const bytes signature(64, 7), some(40, 9), hash(32, 5), key(33, 1);
  const auto offer = message<schema::SubmitTransaction>::build([&](auto out) {
    out.setBody(data_of(byte_view(some)));
    out.setSignature(data_of(byte_view(signature)));
  });
  const auto keys = message<schema::GetProvenRows>::build([&](auto out) {
    auto list = out.initKeys(2);
    list.set(0, data_of(byte_view(key)));
    list.set(1, data_of(byte_view(some)));
  });
  const auto page = message<schema::GetProvenRows>::build([&](auto out) {
    out.setPrefix(data_of(byte_view(key)));
    out.setMost(5);
  });
  const auto announced = message<schema::BeginPut>::build([&](auto out) {
    out.setSizeBytes(1'500'000);
    auto list = out.initChunkHashes(2);
    list.set(0, data_of(byte_view(hash)));
    list.set(1, data_of(byte_view(hash)));
  });
  const auto reserved = message<schema::UploadReservation>::build([&](auto out) {
    out.setChain(data_of(byte_view(hash)));
    out.setBlob(data_of(byte_view(hash)));
    out.setSizeBytes(1'500'000);
    out.setExpiryMs(1'000);
    out.setKey(data_of(byte_view(hash)));
    out.setSignature(data_of(byte_view(signature)));
  });
  const std::string reservation = "soma-reservation: " + to_hex(reserved.bytes()) + "\n";
  const std::string as_capnp = "content-type: application/x-capnp\n\n";
  return {
      {"network", plain("GET /v1/network\naccept: application/x-capnp\n\n")},
      {"row", plain("GET /v1/rows/0x0102?proof\naccept: application/octet-stream\n\n")},
      {"rows", plain("GET /v1/rows?prefix=0x02&after=0x0203&limit=5&proof=false\n\n")},
      {"account", plain("GET /v1/accounts/" + id + "?proof=1\n\n")},
      {"models", plain("GET /v1/models?after=" + id + "&limit=256\n\n")},
      {"listing", plain("GET /v1/listings/target-counts?limit=1024\n\n")},
      {"blocks", plain("GET /v1/blocks/18446744073709551615?limit=2\n\n")},
      {"explain", plain("GET /v1/explain/0x3f9a21c4?events=20000\n\n")},
      {"events", plain("GET /v1/events?kind=transferred,model_paid&model=" + id +
                       "&from=5:1\nlast-event-id: 18446744073709551615:4294967295\n\n")},
      {"events_of", plain("GET /v1/events?target=" + id + "&address=" + id + "&limit=3\n\n")},
      {"status", plain("GET /v1/transactions/" + id + "?wait=30000\n\n")},
      {"offer", with("POST /v1/transactions\n" + as_capnp, offer.bytes())},
      {"offer_json", plain("POST /v1/transactions\n\n{\"body\": \"0x" + to_hex(some) +
                           "\", \"signature\": \"" + to_hex(signature) + "\"}")},
      {"nested",
       plain("POST /v1/transactions\n\n{\"body\": [[[[[[1e400, \"\\ud83d\\ude00\"]]]]]]}")},
      {"keys", with("POST /v1/rows\n\n", keys.bytes())},
      {"page", with("POST /v1/rows?proof\n\n", page.bytes())},
      {"faucet", plain("POST /v1/faucet\n\n{\"address\": \"" + id + "\"}")},
      {"begin", with("PUT /v1/blobs/" + id + "\n" + reservation + "\n", announced.bytes())},
      {"chunk", with("PUT /v1/blobs/" + id + "/chunks/1\n" + reservation + "\n", some)},
      {"range", plain("GET /v1/blobs/" + id + "\nrange: bytes=5-4999999\nif-range: \"x\"\n\n")},
      {"suffix", plain("HEAD /v1/blobs/" + id + "\nrange: bytes=-5\n\n")},
      {"holders", plain("GET /v1/blobs/" + id + "/holders?size=17\n\n")},
      {"wrong_verb", plain("DELETE /v1/network\n\n")},
      {"unknown", plain("GET /v2/%2e%2E\n\n")},
  };
}

bytes change_gateway_request(bytes input, noise::noise_generator& noise) {
  static const std::vector<std::string> words{"\n",
                                              ": ",
                                              "\"",
                                              "{",
                                              "}",
                                              "[",
                                              "]",
                                              ",",
                                              ":",
                                              "0x",
                                              "\\u0000",
                                              "\\",
                                              "-",
                                              "1e9",
                                              "null",
                                              "true",
                                              "18446744073709551616",
                                              "4294967295",
                                              "%",
                                              "%00",
                                              "%c3%a9",
                                              "&",
                                              "=",
                                              "?",
                                              "/",
                                              "..",
                                              "proof",
                                              "limit=",
                                              "kind=",
                                              "from=",
                                              "prefix=",
                                              "after=",
                                              "events=",
                                              "wait=",
                                              "size=",
                                              "transferred",
                                              "range: bytes=",
                                              "last-event-id: ",
                                              "accept: application/json\n",
                                              "content-type: application/x-capnp\n",
                                              "\"body\"",
                                              "\"signature\"",
                                              "\"address\"",
                                              std::string(64, '0'),
                                              std::string(8, '\0'),
                                              "\x80",
                                              "\xff\xff\xff\xff"};
  return change_words(std::move(input), words, noise);
}

}  // namespace soma::fuzz
