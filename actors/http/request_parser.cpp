#include "actors/http/request_parser.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>

#include "actors/http/target.hpp"
#include "messages/values/assert.hpp"

namespace soma::http {
namespace {

namespace beast = boost::beast;

constexpr std::array<std::string_view, 10> once_only{
    "host",         "content-length", "transfer-encoding", "expect",        "authorization",
    "content-type", "range",          "last-event-id",     "if-none-match", "upgrade"};
enum : std::uint32_t { has_host = 1, has_length = 2, has_coding = 4, has_expect = 8 };

bool is_same(std::string_view a, std::string_view b) {
  return beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_token_char(char c) {
  static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         marks.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

/// Whether a comma-separated list has this word.
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto part = list.substr(0, list.find(','));
    if (is_same(trimmed(part), word)) return true;
    list.remove_prefix(std::min(part.size() + 1, list.size()));
  }
  return false;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

request_parser::request_parser(std::size_t max_header_bytes)
    : max_header_bytes_(max_header_bytes) {}

void request_parser::refuse(unsigned status, std::string_view code, std::string_view message) {
  stage_ = stage::refused;
  refusal_ = {status, code, message};
}

std::size_t request_parser::feed(byte_view arrived) {
  std::size_t taken = 0;
  if (stage_ == stage::empty && !arrived.empty()) stage_ = stage::head;
  while (stage_ == stage::head && taken < arrived.size()) {
    take_header_byte(static_cast<char>(arrived[taken++]));
  }
  if (stage_ != stage::body || taken == arrived.size()) return taken;
  if (chunked_) return taken + feed_chunks(arrived.subspan(taken));
  const auto part = arrived.subspan(
      taken, std::min<std::uint64_t>(arrived.size() - taken, length_ - body_.size()));
  body_.insert(body_.end(), part.begin(), part.end());
  if (body_.size() == length_) stage_ = stage::done;
  return taken + part.size();
}

void request_parser::take_header_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (header_.size() >= max_header_bytes_) {
    return lines_ == 0 ? refuse(414, "target_too_long", "the request line is too long")
                       : refuse(431, "header_too_large", "the header is too large");
  }
  const bool after_cr = !header_.empty() && header_.back() == '\r';
  if ((c == '\n') != after_cr) {
    return refuse(400, "bad_line_end", "a line of the header must end in CR and LF");
  }
  if ((byte < 0x20 && c != '\r' && c != '\n' && c != '\t') || byte >= 0x7f) {
    return refuse(400, "bad_character", "the header may have printable ASCII only");
  }
  header_ += c;
  if (c != '\n') return;
  const auto line = std::string_view(header_).substr(line_at_, header_.size() - 2 - line_at_);
  line_at_ = header_.size();
  end_line(line);
}

void request_parser::end_line(std::string_view line) {
  if (lines_ == 0) {
    check_request_line(line);
  } else if (line.empty()) {
    return end_header();
  } else {
    check_field_line(line);
  }
  if (++lines_ > max_header_lines + 1 && stage_ == stage::head) {
    refuse(431, "too_many_headers", "the header has more than 64 lines");
  }
}

void request_parser::check_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  const auto verb = line.substr(0, first);
  if (first == std::string_view::npos || first == last || !is_token(verb) ||
      line.find('\t') != std::string_view::npos || line.find(' ', first + 1) != last) {
    return refuse(400, "bad_request_line", "a request begins with METHOD, target and HTTP/1.1");
  }
  const auto version = line.substr(last + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.' ||
      version[5] < '0' || version[5] > '9' || version[7] < '0' || version[7] > '9') {
    return refuse(400, "bad_request_line", "a request begins with METHOD, target and HTTP/1.1");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return refuse(505, "version_not_supported", "only HTTP/1.1 and HTTP/1.0 are spoken here");
  }
  is_http_1_0_ = version == "HTTP/1.0";
  if (verb == "CONNECT" || verb == "TRACE") {
    return refuse(405, "method_not_allowed", "this method is allowed nowhere on this server");
  }
  const auto known = parse_method(verb);
  if (!known) return refuse(501, "method_unknown", "the method is unknown");
  auto to = parse_target(line.substr(first + 1, last - first - 1));
  if (!to) return refuse(400, "bad_target", to.error());
  head_.verb = *known;
  head_.path = std::move(to->path);
  head_.query = std::move(to->query);
}

void request_parser::check_field_line(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') {
    return refuse(400, "folded_header", "a header must be one line");
  }
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name)) {
    return refuse(400, "bad_header", "a header is a name, a colon right behind it, and a value");
  }
  const auto value = trimmed(line.substr(colon + 1));
  for (std::size_t i = 0; i < once_only.size(); ++i) {
    if (!is_same(name, once_only[i])) continue;
    if ((once_ & (1U << i)) != 0) {
      return refuse(400, "repeated_header", "a header that a request has once comes twice");
    }
    once_ |= 1U << i;
  }
  if (is_same(name, "content-length")) {
    const auto end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, length_);
    if (value.empty() || value.size() > 18 || read.ptr != end || read.ec != std::errc()) {
      return refuse(400, "bad_length", "Content-Length is a number of at most 18 digits");
    }
  } else if (is_same(name, "transfer-encoding")) {
    if (!is_same(value, "chunked")) {
      return refuse(501, "coding_unknown", "the only transfer coding is chunked");
    }
    chunked_ = true;
  } else if (is_same(name, "expect")) {
    if (!is_same(value, "100-continue")) {
      return refuse(417, "expectation_failed", "the only expectation is 100-continue");
    }
    expects_continue_ = true;
  } else if (is_same(name, "connection") && lists(value, "close")) {
    keeps_alive_ = false;
  } else if (is_same(name, "host") && value.find_first_of(" \t,/@?#\\") != std::string_view::npos) {
    return refuse(400, "bad_host", "the header Host is a name or an address, and a port");
  }
}

void request_parser::end_header() {
  if ((once_ & has_length) != 0 && chunked_) {
    return refuse(400, "two_lengths", "a request has Content-Length or chunks, and not both");
  }
  if (chunked_ && is_http_1_0_) {
    return refuse(400, "chunks_in_http_1_0", "HTTP/1.0 has no chunks");
  }
  if (!is_http_1_0_ && (once_ & has_host) == 0) {
    return refuse(400, "no_host", "a request needs the header Host");
  }
  if (is_http_1_0_) keeps_alive_ = expects_continue_ = false;
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(max_header_bytes_));
  parser.body_limit(boost::none);  // the body does not pass through it
  beast::error_code failed;
  const auto taken = parser.put(boost::asio::buffer(header_), failed);
  if (failed || taken != header_.size() || !parser.is_header_done()) {
    return refuse(400, "bad_header", "the header cannot be read");
  }
  for (const auto& field : parser.get()) {
    const auto name = field.name_string();
    const auto value = field.value();
    head_.headers.emplace_back(lower({name.data(), name.size()}),
                               std::string(value.data(), value.size()));
  }
  header_ = {};
  stage_ = stage::decision;
}

void request_parser::accept_body(std::uint64_t limit_bytes) {
  SOMA_ASSERT(stage_ == stage::decision, "a body follows a head");
  limit_bytes_ = limit_bytes;
  if (length_ > limit_bytes) {
    return refuse(413, "body_too_large", "the body is larger than this endpoint takes");
  }
  stage_ = has_body() ? stage::body : stage::done;
}

std::size_t request_parser::feed_chunks(byte_view arrived) {
  const auto taken = chunks_.feed(arrived, limit_bytes_ - body_.size(), body_);
  switch (chunks_.now()) {
    case chunk_reader::verdict::more:
      break;
    case chunk_reader::verdict::done:
      stage_ = stage::done;
      break;
    case chunk_reader::verdict::malformed:
      refuse(400, "bad_chunk", "a chunk is a size in hex, CR, LF, as many bytes, CR and LF");
      break;
    case chunk_reader::verdict::too_large:
      refuse(413, "body_too_large", "the body is larger than this endpoint takes");
  }
  return taken;
}

request request_parser::take() {
  SOMA_ASSERT(stage_ == stage::done, "only a whole request is given away");
  return {std::move(head_), std::move(body_)};
}

}  // namespace soma::http
