#include <algorithm>
#include <vector>

#include "actors/http/request_parser.hpp"
#include "messages/values/utf8.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/fuzz/words.hpp"

namespace soma::fuzz {
namespace {

using http::request_parser;
using stage = request_parser::stage;

constexpr std::uint64_t max_body_bytes = 5'000;
constexpr std::size_t max_header_bytes = 8 * 1024;

struct reading {
  stage end = stage::empty;
  http::request_refusal refusal;
  http::request request;
  std::size_t taken = 0;
  [[nodiscard]] bool is_like(const reading& other) const {
    // What a refused connection had taken means nothing: it is closed.
    return end == other.end && refusal == other.refusal && request.verb == other.request.verb &&
           request.path == other.request.path && request.query == other.request.query &&
           request.headers == other.request.headers && request.body == other.request.body &&
           (end == stage::refused || taken == other.taken);
  }
};

reading read(byte_view input, std::size_t step) {
  request_parser parser(max_header_bytes);
  reading got;
  while (got.taken < input.size() && parser.now() != stage::done &&
         parser.now() != stage::refused) {
    const auto rest = input.subspan(got.taken);
    got.taken += parser.feed(rest.first(std::min(step, rest.size())));
    if (parser.now() == stage::decision) parser.accept_body(max_body_bytes);
  }
  got.end = parser.now();
  got.refusal = parser.refusal();
  if (got.end == stage::done) got.request = parser.take();
  return got;
}

/// What must hold of a request that was taken, by its bytes.
std::string check_taken(byte_view bytes_taken, const http::request& request) {
  const std::string_view text(reinterpret_cast<const char*>(bytes_taken.data()),
                              bytes_taken.size());
  const auto head = text.substr(0, text.find("\r\n\r\n") + 4);
  std::size_t lengths = 0;
  for (const auto& [name, value] : request.headers) {
    if (name == "content-length") {
      ++lengths;
      if (std::to_string(request.body.size()) !=
          value.substr(value.find_first_not_of('0') == std::string::npos
                           ? value.size() - 1
                           : value.find_first_not_of('0'))) {
        return "a body of another length than was announced";
      }
      if (text.size() != head.size() + request.body.size()) return "bytes that are of no request";
    }
    if (name == "transfer-encoding") ++lengths;
    if (std::ranges::any_of(name, [](char c) { return c <= ' ' || c == ':' || c >= 0x7f; })) {
      return "a header with an odd name";
    }
  }
  if (lengths > 1) return "two ends of one request";
  if (lengths == 0 && !request.body.empty()) return "a body without a length";
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\n' && (i == 0 || head[i - 1] != '\r')) return "a bare LF";
    if (head[i] == '\r' && (i + 1 == head.size() || head[i + 1] != '\n')) return "a bare CR";
  }
  const auto& path = request.path;
  if (!path.starts_with('/') || !is_utf8(path) || (path + '/').find("/../") != std::string::npos ||
      std::ranges::any_of(path, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return "a path that is none";
  }
  return "";
}

}  // namespace

std::string check_http_request(byte_view input) {
  if (input.empty()) return "";
  const std::size_t step = 1 + input.front() % 64;
  for (auto rest = input.subspan(1); !rest.empty();) {
    const auto whole = read(rest, SIZE_MAX);
    if (!read(rest, step).is_like(whole)) return "another request when it comes in pieces";
    if (!read(rest, 1).is_like(whole)) return "another request when it comes byte by byte";
    if (whole.end == stage::refused && whole.refusal.status < 400)
      return "a refusal without reason";
    if (whole.end != stage::done) return "";
    if (auto wrong = check_taken(rest.first(whole.taken), whole.request); !wrong.empty()) {
      return wrong;
    }
    const auto before = read(rest.first(whole.taken - 1), SIZE_MAX);
    if (before.end == stage::done || before.end == stage::refused) return "an end before the end";
    rest = rest.subspan(whole.taken);
  }
  return "";
}

std::map<std::string, bytes> http_request_seeds() {
  const std::string get = "GET /v1/rows?prefix=a%20b&limit=5 HTTP/1.1\r\nHost: h\r\n";
  const std::string post = "POST /v1/transactions HTTP/1.1\r\nHost: h:1\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  const std::map<std::string, std::string> texts{
      {"get", get + "\r\n"},
      {"headers", get + "Accept: a, b\r\nRange: bytes=0-5\r\nLast-Event-ID: 5:1\r\n\r\n"},
      {"pipelined", get + "\r\n" + post + "Content-Length: 3\r\n\r\nabc" + get + "\r\n"},
      {"length", post + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"},
      {"chunks", chunked + "5\r\nhello\r\n00B\r\n big worlds\r\n0\r\n\r\n" + get + "\r\n"},
      {"extension", chunked + "5;a=b\r\nhello\r\n0\r\n\r\n"},
      {"trailer", chunked + "0\r\nA: b\r\n\r\n"},
      {"two_lengths", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
      {"both", post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"old_chunks", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"expect", post + "Expect: 200-ok\r\n\r\n"},
      {"old", "GET / HTTP/1.0\r\n\r\n"},
      {"preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"absolute", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"folded", get + "A: b\r\n c\r\n\r\n"},
      {"bare", "GET / HTTP/1.1\nHost: h\n\n"},
      {"large", post + "Content-Length: 99999\r\n\r\n"},
      {"cut", get.substr(0, get.size() - 3)},
  };
  std::map<std::string, bytes> seeds;
  for (const auto& [name, text] : texts) {
    seeds[name] = {7};
    seeds[name].insert(seeds[name].end(), text.begin(), text.end());
  }
  return seeds;
}

bytes change_http_request(bytes input, noise::noise_generator& noise) {
  static const std::vector<std::string> words{"\r\n",
                                              "\n",
                                              "\r",
                                              " ",
                                              "\t",
                                              ":",
                                              "0",
                                              "5\r\nhello\r\n",
                                              "0\r\n\r\n",
                                              "\r\n\r\n",
                                              ";a=b",
                                              "Content-Length: 5\r\n",
                                              "Transfer-Encoding: chunked\r\n",
                                              "Host: h\r\n",
                                              "HTTP/1.1",
                                              "HTTP/1.0",
                                              "%2e",
                                              "%2F",
                                              "..",
                                              "/",
                                              "?",
                                              "&",
                                              "=",
                                              "#",
                                              "Expect: 100-continue\r\n",
                                              "Connection: close\r\n",
                                              "GET ",
                                              "POST ",
                                              std::string(1, '\0'),
                                              "\x80"};
  return change_words(std::move(input), words, noise);
}

}  // namespace soma::fuzz
