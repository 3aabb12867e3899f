// One connection of a server, from the first packet to the last. Only the sources of this folder
// include this file, and everything here runs on the server's thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <memory>
#include <optional>

#include "actors/http/request_parser.hpp"
#include "actors/http/server.hpp"

namespace soma::http {

namespace asio = boost::asio;

class connection;

/// The owner of connections.
class connection_owner {
 public:
  [[nodiscard]] virtual std::uint64_t now_ms() const = 0;
  /// Takes a token of the client's bucket; otherwise the seconds that it should wait.
  [[nodiscard]] virtual std::optional<std::uint32_t> must_wait_s(const std::string& client) = 0;
  /// Gives a function that any thread may call, as long as it likes: it makes the connection call
  /// progress() soon, while both live.
  [[nodiscard]] virtual std::function<void()> waker(std::weak_ptr<connection> of) = 0;
  /// Calls take_turn() of the connection soon, when few others have a turn.
  virtual void wait_for_turn(std::weak_ptr<connection> of) = 0;
  /// A turn that began in this round is over.
  virtual void end_turn(std::uint64_t round) = 0;
  /// The last call for this connection. The owner may forget it.
  virtual void closed(connection& which) = 0;

 protected:
  ~connection_owner() = default;
};

class connection : public std::enable_shared_from_this<connection> {
 public:
  using tcp = asio::ip::tcp;

  struct setting {
    const server_options& options;
    connection_owner& owner;
    std::shared_ptr<memory_budget> budget;
    server_counters& counters;
  };

  connection(const setting& all, std::uint64_t number, tcp::socket socket,
             const asio::ip::address& from, bool from_proxy,
             std::shared_ptr<const public_tls::server_identity> identity);

  void begin();
  /// The handler has answered, or a stream has gone on.
  void progress();
  void tick(std::uint64_t now_ms);
  void close();
  /// It may go on with a request that its client has sent before it had the last response.
  void take_turn(std::uint64_t round);
  /// No callback will run any more.
  void silence() { silent_ = true; }

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const asio::ip::address& address() const { return address_; }
  [[nodiscard]] bool is_from_proxy() const { return from_proxy_; }
  /// When its present stage began.
  [[nodiscard]] std::uint64_t since_ms() const { return since_ms_; }
  /// Whether no request of it is whole, so that it may make room for another connection.
  [[nodiscard]] bool is_waiting() const {
    return stage_ == stage::handshaking || stage_ == stage::idle || stage_ == stage::head ||
           stage_ == stage::lingering;
  }

 private:
  enum class stage : std::uint8_t {
    handshaking,
    idle,  // between two requests
    head,  // a header is coming
    body,
    responding,  // the handler has a request, or its response is being written
    lingering,   // a last response has gone, and the client may still be sending
    closed,
  };
  struct queued {
    exchange::piece what;
    std::size_t at = 0;
  };

  [[nodiscard]] const server_limits& limits() const { return all_.options.limits; }
  [[nodiscard]] std::uint64_t now() const { return all_.owner.now_ms(); }
  void wait_to_read();
  void read();
  void take(std::size_t got);
  void lose();
  void process();
  void process_later();
  void end_turn();
  bool parse_step();
  void decide();
  void dispatch();
  [[nodiscard]] std::string client_of(const request_head& head) const;

  void answer(response what, bool closes);
  void start(const exchange::answer& what);
  void push(shared_bytes data);
  void push(std::string_view text);
  void pull();
  void flush();
  bool fill_out();
  [[nodiscard]] std::optional<byte_view> next_part(std::size_t most, bytes& scratch);
  void response_written();
  void cut(server_counters::count& why);
  void check_deadlines(std::uint64_t now_ms);
  void check_drain(std::uint64_t now_ms);

  setting all_;
  std::uint64_t number_;
  tcp::socket socket_;
  asio::ip::address address_;
  bool from_proxy_;
  std::optional<public_tls::session> tls_;
  stage stage_ = stage::idle;
  bool silent_ = false;

  std::uint64_t since_ms_;  // when the present stage began
  bool is_first_ = true;    // no request has come yet
  std::size_t handshake_bytes_ = 0;

  bool reading_ = false;  // a wait for the socket is under way
  bool processing_later_ = false;
  std::optional<std::uint64_t> turn_;  // the round in which its turn began
  bytes in_;                           // decrypted, and not parsed yet
  std::size_t lingered_bytes_ = 0;
  std::optional<request_parser> parser_;
  memory_share body_memory_;

  std::shared_ptr<exchange> exchange_;
  bool started_ = false;  // the head of the response is in the queue
  bool streaming_ = false;
  bool chunked_ = false;
  bool without_body_ = false;  // the request was HEAD
  bool is_1_0_ = false;
  bool closes_ = false;
  std::optional<std::uint64_t> stream_left_;

  bool writing_ = false;  // a wait for the socket is under way
  std::deque<queued> queue_;
  bytes out_;  // as it goes on the wire
  std::size_t out_at_ = 0;
  std::optional<std::uint64_t> drain_since_ms_;  // while the socket takes nothing more
  std::uint64_t drained_bytes_ = 0;
};

}  // namespace soma::http
