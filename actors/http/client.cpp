#include "actors/http/client.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <utility>

#include "actors/http/chunk_reader.hpp"
#include "actors/http/client_link.hpp"

namespace soma::http {
namespace {

using kind = client_failure_kind;

constexpr int max_interim_responses = 8;
constexpr std::uint64_t without_limit = UINT64_MAX;

bool is_clean(std::string_view text, char first) {
  return std::ranges::all_of(text, [first](char c) { return c >= first && c < 0x7f; });
}

bool is_field_name(std::string_view name) {
  return !name.empty() && is_clean(name, '!') && name.find(':') == std::string_view::npos;
}

std::optional<std::string> head_of(const client_request& what, const origin& server) {
  if (!what.target.starts_with('/') || !is_clean(what.target, '!')) return std::nullopt;
  std::string out(to_text(what.verb));
  out += ' ' + what.target + " HTTP/1.1\r\nHost: " + authority_of(server) + "\r\n";
  out += "User-Agent: soma\r\n";
  for (const auto& [name, value] : what.headers) {
    if (!is_field_name(name) || !is_clean(value, ' ')) return std::nullopt;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  const bool has_body = what.verb != method::get && what.verb != method::head;
  if (has_body || what.body) {
    out += "Content-Length: " + std::to_string(what.body ? what.body->size() : 0) + "\r\n";
  }
  return out += "\r\n";
}

/// How the body of a response ends.
struct framing {
  bool none = false;
  bool chunked = false;
  bool keeps_alive = true;
  std::optional<std::uint64_t> length;  // nullopt, and no chunks: at the end of the connection
};

struct parsed_head {
  response head;
  framing how;
};

std::optional<parsed_head> parse_head(std::string_view text, method verb) {
  boost::beast::http::response_parser<boost::beast::http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(text.size() + 1));
  parser.body_limit(boost::none);
  parser.skip(true);
  boost::beast::error_code failed;
  const auto taken = parser.put(boost::asio::buffer(text.data(), text.size()), failed);
  if (failed || taken != text.size() || !parser.is_header_done()) return std::nullopt;
  const auto& from = parser.get();
  parsed_head made;
  made.head.status = from.result_int();
  for (const auto& field : from) {
    std::string name(field.name_string().data(), field.name_string().size());
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    made.head.headers.emplace_back(std::move(name),
                                   std::string(field.value().data(), field.value().size()));
  }
  made.head.content_type = find(made.head.headers, "content-type").value_or("");
  made.how.chunked = from.chunked();
  const auto coding = find(made.head.headers, "transfer-encoding");
  const auto length = find(made.head.headers, "content-length");
  if (coding && (!made.how.chunked || length || coding->size() != 7)) return std::nullopt;
  if (length) made.how.length = parser.content_length().value_or(0);
  made.how.keeps_alive = from.keep_alive() && (made.how.chunked || made.how.length);
  const auto status = made.head.status;
  if (verb == method::head || status == 204 || status == 304 || status / 100 == 1) {
    made.how = {true, false, from.keep_alive(), std::nullopt};
  }
  return made;
}

}  // namespace

struct client::state {
  client_options options;
  cancel_signal cancelled;
  std::unique_ptr<client_link> link;
  std::optional<hash256> pin;
  bytes in;  // what was read and is not used yet

  explicit state(client_options given) : options(std::move(given)) {}

  unexpected<client_failure> failure(kind what, std::string why) {
    link.reset();
    return unexpected<client_failure>({what, to_text(options.server) + ": " + std::move(why)});
  }
  expected<response, client_failure> exchange(const client_request& what, std::string_view head,
                                              const piece_taker& on_piece,
                                              const head_taker& on_head, bool& nothing_came);
  expected<parsed_head, client_failure> read_head(method verb, bool& nothing_came);
  expected<void, client_failure> read_body(const framing& how, std::uint64_t limit,
                                           const piece_taker& give);
};

expected<parsed_head, client_failure> client::state::read_head(method verb, bool& nothing_came) {
  for (int interim = 0; interim < max_interim_responses;) {
    const std::string_view text(reinterpret_cast<const char*>(in.data()), in.size());
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos || end + 4 > options.header_bytes) {
      if (text.size() > options.header_bytes) {
        return failure(kind::malformed, "the head of its answer is too large");
      }
      const auto came = link->read(in);
      if (!came) return make_unexpected(came.error());
      nothing_came = false;
      continue;
    }
    auto made = parse_head(text.substr(0, end + 4), verb);
    if (!made) return failure(kind::malformed, "its answer is no HTTP/1.1");
    in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(end + 4));
    if (made->head.status / 100 != 1) return std::move(*made);
    ++interim;
  }
  return failure(kind::malformed, "it answers without an end that more is to come");
}

expected<void, client_failure> client::state::read_body(const framing& how, std::uint64_t limit,
                                                        const piece_taker& give) {
  if (how.none) return {};
  if (how.length && *how.length > limit) return failure(kind::too_large, "the body is too large");
  chunk_reader chunks;
  std::uint64_t got = 0;
  while (!how.length || got < *how.length) {
    if (in.empty()) {
      if (auto came = link->read(in); !came) {
        // Without a length the end of the connection is the end of the body.
        if (link->at_end() && !how.length && !how.chunked) return {};
        return came;
      }
    }
    bytes piece;
    if (how.chunked) {
      const auto taken = chunks.feed(in, limit - got, piece);
      in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(taken));
    } else {
      const auto most = how.length ? *how.length - got : in.size();
      const auto end =
          in.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(most, in.size()));
      piece.assign(in.begin(), end);
      in.erase(in.begin(), end);
    }
    if (chunks.now() == chunk_reader::verdict::malformed) {
      return failure(kind::malformed, "a chunk of its answer is none");
    }
    if (piece.size() > limit - got || chunks.now() == chunk_reader::verdict::too_large) {
      return failure(kind::too_large, "the body is too large");
    }
    got += piece.size();
    if (!piece.empty() && !give(piece)) return failure(kind::cancelled, "the caller has ended it");
    if (chunks.now() == chunk_reader::verdict::done) return {};
  }
  return {};
}

expected<response, client_failure> client::state::exchange(const client_request& what,
                                                           std::string_view head,
                                                           const piece_taker& on_piece,
                                                           const head_taker& on_head,
                                                           bool& nothing_came) {
  auto sent = link->write(as_bytes(head));
  if (sent && what.body) sent = link->write(*what.body);
  // A server that refuses a body answers and closes before it has read all of it.
  auto answered = read_head(what.verb, nothing_came);
  if (!answered) return make_unexpected(sent ? answered.error() : sent.error());
  auto& [answer, how] = *answered;
  if (on_head && !on_head(answer)) return failure(kind::cancelled, "the caller has ended it");
  bytes body;
  const bool endless = on_piece && options.total_ms == 0;
  const auto read = read_body(
      how, endless ? without_limit : options.body_bytes,
      on_piece ? on_piece : [&](byte_view piece) {
        body.insert(body.end(), piece.begin(), piece.end());
        return true;
      });
  if (!read) return make_unexpected(read.error());
  if (!body.empty()) answer.body = std::make_shared<const bytes>(std::move(body));
  if (!how.keeps_alive || !sent || !in.empty()) link.reset();
  return std::move(answer);
}

client::client(client_options options) : state_(std::make_unique<state>(std::move(options))) {}
client::~client() = default;

expected<response, client_failure> client::send(const client_request& what,
                                                const piece_taker& on_piece,
                                                const head_taker& on_head) {
  auto& s = *state_;
  const auto head = head_of(what, s.options.server);
  if (!head) return s.failure(kind::bad_request, "the target or a header is not fit to be sent");
  const auto end_ms = s.options.total_ms == 0 ? 0 : client_link::now_ms() + s.options.total_ms;
  const bool repeatable = what.verb == method::get || what.verb == method::head;
  while (true) {
    if (s.link && s.link->is_stale()) s.link.reset();
    const bool was_kept = s.link != nullptr;
    s.in.clear();
    if (!was_kept) {
      s.link = std::make_unique<client_link>(s.options, s.cancelled);
      s.link->end_at(end_ms);
      auto opened = s.link->open();
      s.pin = s.link->server_pin();
      if (!opened) {
        s.link.reset();
        return make_unexpected(opened.error());
      }
    }
    s.link->end_at(end_ms);
    bool nothing_came = true;
    auto answered = s.exchange(what, *head, on_piece, on_head, nothing_came);
    if (answered) return answered;
    s.link.reset();
    const bool again =
        was_kept && nothing_came && repeatable && answered.error().kind == kind::broken;
    if (!again) return answered;
  }
}

void client::cancel() {
  state_->cancelled.raise();
}

const std::optional<hash256>& client::server_pin() const {
  return state_->pin;
}

}  // namespace soma::http
