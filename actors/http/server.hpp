// An HTTP/1.1 server for strangers, over TLS 1.3, on a thread of its own.
//
// Nothing that a client does may cost more than its share (server_limits, actors/http/SECURITY.md):
//   connecting     a host and a network have a share of the connections, and a rate; when all
//                  places are taken, the oldest connection without a whole request makes room
//   asking         the header is at most 8 KiB and comes within 5 s; a host asks at most so often
//   sending        the endpoint says before the body how large it may be; a slow body is cut
//   pipelining     one request at a time is read, and the next when its response has been written
//   reading        a client that does not read is cut, and what waits for it is bounded
//   all together   bodies and queues stay below one ceiling; above it the answer is 503
//
// Plain HTTP, without an identity, is spoken to loopback addresses and to the named proxies alone.
//
//   server({.listen_port = 443, .identity = identity,
//           .body_limit = [](const request_head& head) -> body_verdict {
//             if (head.path != "/v1/time") return make_unexpected(error_response(404, ...));
//             return 0;
//           },
//           .handler = [](request asked, responder to) { to.send(make_response(...)); }});
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/http/exchange.hpp"
#include "actors/http/limits.hpp"
#include "actors/http/message.hpp"
#include "messages/crypto/public_tls/session.hpp"
#include "messages/values/expected.hpp"

namespace soma::http {

/// The most bytes that the body of a request may have, or the response that refuses the request.
using body_verdict = expected<std::uint64_t, response>;

struct server_options {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 0;                                // 0: the system chooses
  std::shared_ptr<const public_tls::server_identity> identity;  // nullptr: plain HTTP

  /// Addresses of proxies. A connection from one of them is not counted by its host, and the last
  /// address in its X-Forwarded-For is the client. A request without this header is the proxy's.
  std::vector<std::string> proxies;

  /// In every response, also where the server refuses a request before the handler hears of it.
  /// The constructor asserts that they are valid.
  name_values headers;

  // Both are called on the server's thread and must not block. They must not destroy the server.
  // Exceptions of theirs answer 500.
  std::function<body_verdict(const request_head&)> body_limit;  // none: 0 for every request
  std::function<void(request, responder)> handler;

  server_limits limits;
  clock_ms now_ms;             // none: the system's monotonic clock
  std::uint32_t tick_ms = 50;  // how often deadlines are looked at, in real time
};

class server {
 public:
  /// Throws std::system_error when it cannot listen there.
  explicit server(server_options options);
  /// Ends all connections. When it returns, no callback is running and none will run; responders
  /// and streams that are still held do nothing.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const server_counters& counters() const;
  /// Bytes of bodies and queues that are held now, at most limits.memory_bytes.
  [[nodiscard]] std::size_t held_bytes() const;
  /// New connections get this identity, for a certificate that was renewed. Any thread may call it.
  void replace_identity(std::shared_ptr<const public_tls::server_identity> identity);

 private:
  class core;
  std::unique_ptr<core> core_;
};

}  // namespace soma::http
