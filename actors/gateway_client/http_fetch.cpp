#include "actors/gateway_client/http_fetch.hpp"

#include <algorithm>
#include <charconv>

#include "actors/gateway_client/gateway_answer.hpp"
#include "messages/json/json.hpp"

namespace soma::gateway_client {
namespace {

using kind = http::client_failure_kind;

constexpr std::string_view canonical = "application/x-capnp";
// The limits of the types: what a gateway may answer at most, with room for the last row or proof
// that brings an answer above the limit which the schema states.
constexpr std::size_t max_epochs_bytes = std::size_t{2} << 20;
constexpr std::size_t max_rows_bytes = max_message_bytes<schema::ProvenRows>;
constexpr std::size_t max_short_bytes = std::size_t{64} << 10;
constexpr std::size_t max_error_bytes = std::size_t{16} << 10;

unexpected<fetch_error> failed(fetch_failure how, std::string why) {
  return make_unexpected(fetch_error(how, std::move(why)));
}

/// nullopt when the gateway speaks the version of this program.
std::optional<fetch_error> other_version(const http::response& answer) {
  const auto said = http::find(answer.headers, "soma-answers");
  if (said == std::to_string(answers_version)) return std::nullopt;
  // A proxy in front of a gateway that is down answers in its place.
  if (!said && answer.status >= 500) {
    return fetch_error(fetch_failure::silent, "HTTP status " + std::to_string(answer.status));
  }
  const auto mine = ", this program version " + std::to_string(answers_version) + ": ";
  if (!said) {
    return fetch_error(fetch_failure::other_version,
                       "names no version of the network's answers" + mine + "it is no gateway");
  }
  return fetch_error(fetch_failure::other_version,
                     "speaks version " + std::string(*said) + " of the network's answers" + mine +
                         "use another gateway, or a soma of that version");
}

/// Whether who was told to wait may be answered within this run: a faucet says to come again
/// tomorrow.
bool is_short_wait(const http::response& answer) {
  constexpr unsigned longest_s = 60;
  const auto text = http::find(answer.headers, "retry-after").value_or("");
  unsigned seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return read.ec != std::errc() || seconds <= longest_s;
}

/// What {"error": {"code": ..., "message": ...}} says.
fetch_error refusal_in(const http::response& answer, byte_view body) {
  const bool is_busy = answer.status >= 500 || (answer.status == 429 && is_short_wait(answer));
  fetch_error out(is_busy ? fetch_failure::silent : fetch_failure::refused,
                  "HTTP status " + std::to_string(answer.status));
  const auto read = json::parse({reinterpret_cast<const char*>(body.data()), body.size()});
  if (!read) return out;
  const auto* code = read->find_path("error.code");
  const auto* message = read->find_path("error.message");
  if (code == nullptr || code->as_string() == nullptr) return out;
  const bool has_message = message != nullptr && message->as_string() != nullptr;
  out.code = *code->as_string();
  out.why = out.code + (has_message ? ": " + *message->as_string() : "");
  return out;
}

fetch_error error_of(const http::client_failure& from, const std::string& name) {
  std::string_view why = from.why;
  if (why.starts_with(name + ": ")) why.remove_prefix(name.size() + 2);
  const auto how = [&] {
    switch (from.kind) {
      case kind::not_believed:
        return fetch_failure::not_believed;
      case kind::too_large:
        return fetch_failure::too_large;
      default:
        return fetch_failure::silent;
    }
  }();
  return {how, std::string(why)};
}

}  // namespace

http::client_options client_options_of(const http_fetch_options& from, std::uint32_t wait_ms) {
  http::client_options out;
  out.server = from.at;
  out.trust = from.trust;
  out.environment = from.environment;
  out.connect_ms = from.connect_ms;
  out.idle_ms = from.idle_ms + wait_ms;
  out.total_ms = from.answer_ms + wait_ms;
  out.body_bytes = max_rows_bytes;
  return out;
}

http_fetch::http_fetch(http_fetch_options options)
    : name_(http::to_text(options.at)),
      client_(client_options_of(options)),
      waiting_client_(client_options_of(options, max_wait_ms)) {
  port_.genesis = [this] { return get("/v1/genesis", max_genesis_bytes); };
  port_.epoch_proofs = [this](const message<schema::GetEpochProofs>& asked) {
    return get("/v1/epochs/" + std::to_string(asked->getFrom()) +
                   "?limit=" + std::to_string(asked->getMost()),
               max_epochs_bytes);
  };
  port_.proven_rows = [this](const message<schema::GetProvenRows>& asked) {
    return post("/v1/rows", asked.bytes(), max_rows_bytes);
  };
}

fetched ask_gateway(http::client& by, const std::string& name, http::client_request asked,
                    std::size_t most_bytes, const http::client::piece_taker& on_piece) {
  for (bool again = true;; again = false) {
    bytes body;
    std::size_t got = 0;
    bool is_large = false, is_good = false;
    std::optional<fetch_error> no;
    std::size_t limit = most_bytes;
    const auto answer = by.send(
        asked,
        [&](byte_view piece) {
          is_large = piece.size() > limit - got;
          if (is_large) return false;
          got += piece.size();
          if (on_piece && is_good) return on_piece(piece);
          body.insert(body.end(), piece.begin(), piece.end());
          return true;
        },
        [&](const http::response& head) {
          no = other_version(head);
          is_good = head.status >= 200 && head.status < 300;
          if (!is_good) limit = max_error_bytes;
          return !no;
        });
    if (no) return make_unexpected(*no);
    if (is_large) return failed(fetch_failure::too_large, {});
    if (!answer) {
      const bool has_pieces = on_piece && got > 0;
      if (answer.error().kind == kind::broken && again && !has_pieces) continue;
      return make_unexpected(error_of(answer.error(), name));
    }
    if (is_good) return body;
    return make_unexpected(refusal_in(*answer, body));
  }
}

fetched http_fetch::fetch(http::client& by, http::client_request asked, std::size_t most_bytes) {
  asked.headers.emplace_back("Accept", canonical);
  return ask_gateway(by, name_, std::move(asked), most_bytes);
}

fetched http_fetch::get(std::string target, std::size_t most_bytes) {
  http::client_request asked;
  asked.target = std::move(target);
  return fetch(client_, std::move(asked), most_bytes);
}

fetched http_fetch::post(std::string target, byte_view body, std::size_t most_bytes) {
  http::client_request asked;
  asked.verb = http::method::post;
  asked.target = std::move(target);
  asked.headers.emplace_back("Content-Type", canonical);
  asked.body = std::make_shared<const bytes>(body.begin(), body.end());
  return fetch(client_, std::move(asked), most_bytes);
}

expected<message<schema::ChainStatus>, refusal> http_fetch::network() {
  return read_plain<schema::ChainStatus>(get("/v1/network", max_short_bytes));
}

expected<message<schema::Rows>, refusal> http_fetch::listing(std::string_view name,
                                                             byte_view prefix, byte_view after,
                                                             std::uint32_t most) {
  std::string target = "/v1/listings/";
  target.append(name).append("?limit=").append(std::to_string(most));
  if (!prefix.empty()) target += "&prefix=" + to_hex(prefix);
  if (!after.empty()) target += "&after=" + to_hex(after);
  return read_plain<schema::Rows>(get(std::move(target), max_message_bytes<schema::Rows>));
}

expected<message<schema::Explanation>, refusal> http_fetch::explanation(std::string_view what,
                                                                        std::uint32_t events) {
  return read_plain<schema::Explanation>(
      get("/v1/explain/" + std::string(what) + "?events=" + std::to_string(events),
          max_message_bytes<schema::Explanation>));
}

expected<gift, refusal> http_fetch::ask_faucet(const address& to) {
  http::client_request asked;
  asked.verb = http::method::post;
  asked.target = "/v1/faucet";
  asked.headers.emplace_back("Content-Type", "application/json");
  const auto text = json::value::of({{"address", to.text()}}).text();
  asked.body = std::make_shared<const bytes>(text.begin(), text.end());
  const auto answer = fetch(client_, std::move(asked), max_short_bytes);
  if (!answer) return make_unexpected(refusal_of(answer.error()));
  const auto read = json::parse({reinterpret_cast<const char*>(answer->data()), answer->size()});
  const auto* id = read ? read->find("transaction") : nullptr;
  const auto* amount = read ? read->find("amount_shannons") : nullptr;
  const auto* text_of_id = id == nullptr ? nullptr : id->as_string();
  const auto parsed = text_of_id == nullptr ? std::nullopt : transaction_id::parse(*text_of_id);
  const auto shown = amount == nullptr ? std::string() : amount->plain();
  gift given;
  const auto number =
      std::from_chars(shown.data(), shown.data() + shown.size(), given.amount.value);
  if (!parsed || number.ec != std::errc() || number.ptr != shown.data() + shown.size()) {
    return make_unexpected(refusal{distrust::malformed, {}, std::nullopt});
  }
  given.transaction = *parsed;
  return given;
}

expected<message<schema::SubmitReceipt>, refusal> http_fetch::submit(
    const message<schema::SubmitTransaction>& offered) {
  return read_plain<schema::SubmitReceipt>(
      post("/v1/transactions", offered.bytes(), max_short_bytes));
}

expected<message<schema::TransactionStatus>, refusal> http_fetch::transaction(
    const transaction_id& id, std::uint32_t wait_ms) {
  http::client_request asked;
  asked.target = "/v1/transactions/" + to_hex(id.view()) +
                 "?wait=" + std::to_string(std::min(wait_ms, max_wait_ms));
  return read_plain<schema::TransactionStatus>(
      fetch(waiting_client_, std::move(asked), max_short_bytes));
}

expected<message<schema::Holders>, refusal> http_fetch::holders(const blob_id& blob,
                                                                std::uint64_t size_bytes) {
  return read_plain<schema::Holders>(get(
      "/v1/blobs/" + blob.text() + "/holders?size=" + std::to_string(size_bytes), max_short_bytes));
}

}  // namespace soma::gateway_client
