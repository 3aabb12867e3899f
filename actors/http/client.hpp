// An HTTP/1.1 client for programs. One client speaks to one server and keeps its connection. A call
// blocks the thread that makes it, and never for longer than its limits; cancel() ends it from any
// other thread. It follows no redirects, keeps no cookies and asks for no compression.
//
// What a server can make a client hold: a head of at most header_bytes and a body of at most
// body_bytes, or one piece of at most 64 KiB at a time when the caller takes the body in pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/http/message.hpp"
#include "actors/http/origin.hpp"
#include "messages/crypto/public_tls/session.hpp"
#include "messages/values/expected.hpp"

namespace soma::http {

struct client_options {
  origin server;
  /// Whom the client believes. nullptr: the pin of the origin, or else the system's authorities.
  std::shared_ptr<const public_tls::client_trust> trust;
  /// By which proxy the server is reached; read_proxy_environment() gives that of the user.
  proxy_environment environment;

  std::uint32_t connect_ms = 10'000;  // the name, the socket, the proxy and TLS together
  std::uint32_t idle_ms = 30'000;     // between two arrivals, and between two departures, of bytes
  std::uint32_t total_ms = 120'000;   // the whole exchange; 0: no limit, for streams of events
  std::size_t header_bytes = 16 * 1024;
  std::uint64_t body_bytes = 16U << 20U;
};

enum class client_failure_kind : std::uint8_t {
  bad_request,   // the target or a header of the request could be read as something else
  bad_proxy,     // the environment names a proxy that cannot be used
  no_address,    // the name of the host is unknown
  unreachable,   // no connection could be made
  not_believed,  // the server's key or certificate is not the right one
  broken,        // the connection broke, or TLS failed
  too_late,      // a limit of time was reached
  malformed,     // the answer is no HTTP, or its head is too large
  too_large,     // the body is larger than body_bytes
  cancelled,     // by cancel(), or by the caller's on_piece
};
struct client_failure {
  client_failure_kind kind = client_failure_kind::broken;
  std::string why;  // a sentence for a person, with what the system says
};

struct client_request {
  method verb = method::get;
  std::string target = "/";  // escaped: "/v1/rows?prefix=..."
  name_values headers;       // beside Host, Connection, Content-Length and User-Agent
  shared_bytes body;
};

class client {
 public:
  /// Takes the next piece of a body. False: the exchange ends with `cancelled`.
  using piece_taker = std::function<bool(byte_view)>;
  /// Is given the head before the body, with names in lower case. False ends the exchange.
  using head_taker = std::function<bool(const response&)>;

  explicit client(client_options options);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// One exchange. The response's header names are in lower case. With `on_piece` the body goes
  /// there and not to the response, and body_bytes limits it only if `total_ms` is not 0. A kept
  /// connection that turns out to be closed is opened once more, if the method is GET or HEAD.
  [[nodiscard]] expected<response, client_failure> send(const client_request& what,
                                                        const piece_taker& on_piece = {},
                                                        const head_taker& on_head = {});
  /// Ends the present exchange, and all later ones at once. Any thread may call it.
  void cancel();
  /// The pin of the server's key, once there was a TLS connection.
  [[nodiscard]] const std::optional<hash256>& server_pin() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace soma::http
