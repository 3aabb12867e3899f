// Reads one request from bytes in pieces of any size. It knows no socket and no clock.
//
// Boost.Beast parses the header. In front of it stands a filter that refuses what two programs may
// read differently, since a proxy and a server that disagree on where a request ends let a client
// speak in the name of another:
//   400  two lengths, a length beside chunks, a length that is no plain number, chunks in HTTP/1.0,
//        extensions or trailers of chunks, a line that ends in LF alone, a CR without LF, control
//        characters, bytes above 127, a folded line, blanks before a colon, no Host or two,
//        two of another header that a request has once, a target that is no path
//   405  CONNECT and TRACE        413  a body above its limit    414, 431  a longer header
//   417  another Expect than 100-continue                        501  another method or coding
//   505  another version than HTTP/1.0 and 1.1, thus also the preface of HTTP/2
// What is refused does not depend on how the bytes were cut into pieces.
#pragma once

#include "actors/http/chunk_reader.hpp"
#include "actors/http/message.hpp"

namespace soma::http {

/// Why a request is refused. The texts are constants.
struct request_refusal {
  unsigned status = 0;
  std::string_view code;
  std::string_view message;
  friend bool operator==(const request_refusal&, const request_refusal&) = default;
};

inline constexpr std::size_t max_header_lines = 64;

class request_parser {
 public:
  enum class stage : std::uint8_t {
    empty,  // nothing has come yet
    head,
    decision,  // the head is there; the owner calls accept_body(), or gives the request up
    body,
    done,
    refused,
  };

  explicit request_parser(std::size_t max_header_bytes);
  request_parser(const request_parser&) = delete;
  request_parser& operator=(const request_parser&) = delete;

  /// Takes bytes up to the end of the present stage, and returns how many it has taken.
  [[nodiscard]] std::size_t feed(byte_view arrived);
  /// Goes on to the body, which may have this many bytes.
  void accept_body(std::uint64_t limit_bytes);

  [[nodiscard]] stage now() const { return stage_; }
  [[nodiscard]] const request_refusal& refusal() const { return refusal_; }

  // From `decision` on:
  [[nodiscard]] const request_head& head() const { return head_; }
  [[nodiscard]] bool has_body() const { return chunked_ || length_ > 0; }
  /// The length that the client has announced; 0 for chunks.
  [[nodiscard]] std::uint64_t announced_bytes() const { return length_; }
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }
  [[nodiscard]] bool keeps_alive() const { return keeps_alive_; }
  [[nodiscard]] bool is_http_1_0() const { return is_http_1_0_; }
  [[nodiscard]] std::size_t body_bytes() const { return body_.size(); }
  /// What the body takes in memory, with the room for its growth.
  [[nodiscard]] std::size_t held_bytes() const { return body_.capacity(); }

  /// Gives the head and the body away. Only when done.
  [[nodiscard]] request take();

 private:
  void refuse(unsigned status, std::string_view code, std::string_view message);
  void take_header_byte(char c);
  void end_line(std::string_view line);
  void check_request_line(std::string_view line);
  void check_field_line(std::string_view line);
  void end_header();
  [[nodiscard]] std::size_t feed_chunks(byte_view arrived);

  std::size_t max_header_bytes_;
  stage stage_ = stage::empty;
  request_refusal refusal_;
  std::string header_;
  std::size_t line_at_ = 0;  // where the present line begins in header_
  std::size_t lines_ = 0;
  std::uint32_t once_ = 0;  // which of the headers that may come once have come

  request_head head_;
  std::uint64_t length_ = 0;
  bool chunked_ = false;
  bool expects_continue_ = false;
  bool keeps_alive_ = true;
  bool is_http_1_0_ = false;

  std::uint64_t limit_bytes_ = 0;
  bytes body_;
  chunk_reader chunks_;
};

}  // namespace soma::http
