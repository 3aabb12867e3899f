#include "actors/gateway/call.hpp"

#include <charconv>

#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

constexpr std::uint32_t retry_after_s = 2;

struct shown_refusal {
  unsigned status;
  std::string_view code;
};
shown_refusal shown(schema::LedgerRefusal reason) {
  switch (reason) {
    case schema::LedgerRefusal::BAD_KEY:
      return {400, "bad_key"};
    case schema::LedgerRefusal::TOO_MANY:
      return {400, "too_many"};
    case schema::LedgerRefusal::TOO_FEW:
      return {400, "too_few"};
    case schema::LedgerRefusal::BAD_FILTER:
      return {400, "bad_filter"};
    case schema::LedgerRefusal::NO_BLOCK_YET:
      return {503, "no_block_yet"};
    case schema::LedgerRefusal::NOT_FINAL_YET:
      return {503, "not_final_yet"};
    case schema::LedgerRefusal::NOT_KEPT:
      return {404, "not_kept"};
    case schema::LedgerRefusal::NOT_THERE_YET:
      return {404, "not_there_yet"};
    case schema::LedgerRefusal::NOT_PROVABLE:
      return {404, "not_provable"};
    case schema::LedgerRefusal::BAD_NAME:
      return {400, "bad_name"};
    case schema::LedgerRefusal::UNKNOWN:
      return {404, "unknown"};
    case schema::LedgerRefusal::AMBIGUOUS:
      return {409, "ambiguous"};
  }
  return {400, "refused"};
}

}  // namespace

http::response with_caching(http::response answer, std::string_view caching) {
  answer.headers.emplace_back("Cache-Control", std::string(caching));
  return answer;
}

format call::wanted() const {
  const auto accept = asked.header("accept").value_or("");
  if (accept.find(message_type) != accept.npos && !what->message.empty()) return format::message;
  const bool has_file = what->id == endpoint_id::row || what->id == endpoint_id::blob;
  if (has_file && accept.find(bytes_type) != accept.npos) return format::file;
  // Only bytes have ranges.
  if (what->id == endpoint_id::blob && asked.header("range")) return format::file;
  if (what->id == endpoint_id::events && accept.find("application/json") == accept.npos) {
    return format::events;
  }
  return format::json;
}

void reply_json(const call& to, const json::value& document, unsigned status) {
  to.to.send(with_caching(http::make_response(status, "application/json", document.text() + "\n")));
}

void reply_bytes(const call& to, std::string_view type, byte_view body) {
  http::response answer;
  answer.content_type = type;
  answer.body = std::make_shared<const bytes>(body.begin(), body.end());
  to.to.send(with_caching(std::move(answer)));
}

void reply_later(const call& to, unsigned status, std::string_view code, std::string_view message,
                 std::uint32_t after_s) {
  to.to.send(with_caching(http::retry_response(status, code, message, after_s)));
}

void reply_error(const call& to, unsigned status, std::string_view code, std::string_view message) {
  const bool passes = status == 503 || status == 429;
  to.to.send(with_caching(passes ? http::retry_response(status, code, message, retry_after_s)
                                 : http::error_response(status, code, message)));
}

void reply_silent(const call& to) {
  reply_error(to, 503, "validator_silent",
              "the node behind this gateway does not answer; ask again in a moment, or ask another "
              "gateway");
}

void reply_refused(const call& to, schema::Refusal::Reader refusal) {
  if (!refusal.isLedger()) return reply_error(to, 400, "refused", why_of(refusal));
  const auto [status, code] = shown(refusal.getLedger());
  reply_error(to, status, code, why_of(refusal));
}

bool may_check_signature(self_pointer self, const call& asked) {
  auto& state = self->state;
  if (state.checked.take(host_in(asked.asked.peer), 1, state.now_ms)) return true;
  reply_later(asked, 429, "too_many_signatures",
              "this gateway checks no more signatures a second; send it again in a moment", 1);
  return false;
}

std::optional<std::uint64_t> number_in(const call& asked, std::string_view name,
                                       std::string_view text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end) return number;
  reply_error(asked, 400, "bad_number",
              std::string(name) + " is not a whole number from 0 to 18446744073709551615");
  return std::nullopt;
}

std::optional<std::uint32_t> limit_of(const call& asked, std::uint32_t otherwise,
                                      std::uint32_t most) {
  const auto text = asked.asked.parameter("limit");
  if (!text) return otherwise;
  const auto number = number_in(asked, "limit", *text);
  if (!number) return std::nullopt;
  if (*number >= 1 && *number <= most) return static_cast<std::uint32_t>(*number);
  reply_error(asked, 400, "bad_number", "limit is not from 1 to " + std::to_string(most));
  return std::nullopt;
}

std::optional<bytes> hex_in(const call& asked, std::string_view name, std::string_view text,
                            std::size_t most_bytes) {
  auto read = from_hex(text);
  if (read && read->size() <= most_bytes) return read;
  reply_error(asked, 400, "bad_hex",
              std::string(name) + " is not in hex, or has more than " + std::to_string(most_bytes) +
                  " bytes");
  return std::nullopt;
}

std::optional<bool> switch_in(const call& asked, std::string_view name) {
  const auto text = asked.asked.parameter(name);
  if (!text || *text == "false" || *text == "0") return false;
  if (text->empty() || *text == "true" || *text == "1") return true;
  reply_error(asked, 400, "bad_switch", std::string(name) + " is neither true nor false");
  return std::nullopt;
}

std::optional<hash256> id_in(const call& asked, std::string_view name, std::string_view text) {
  if (const auto id = hash256::parse(text)) return id;
  reply_error(asked, 400, "bad_id", std::string(name) + " is not 0x and 64 hex digits");
  return std::nullopt;
}

}  // namespace soma::gateway
