// The client of `soma bench gateway`: many kept connections over TLS, served by one thread. Every
// server is asked by the same code, so that what the client costs is the same for each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/crypto/public_tls/session.hpp"

namespace soma::cli {

/// A server on the loopback interface.
struct load_server {
  std::uint16_t port = 0;
  std::shared_ptr<const public_tls::client_trust> trust;
};

/// Finds the ends of responses that come one after the other on a connection.
class response_reader {
 public:
  /// Takes what came. True when a response is whole; the next one begins with the next call.
  [[nodiscard]] bool take(byte_view arrived);
  /// Of the response that was whole last.
  [[nodiscard]] unsigned status() const { return status_; }
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }
  /// What came is no response, or one whose end cannot be found.
  [[nodiscard]] bool is_lost() const { return is_lost_; }

 private:
  void read_head();

  std::string head_;
  std::optional<std::uint64_t> left_;  // of the body, once the header is there
  unsigned status_ = 0;
  std::uint64_t body_bytes_ = 0;
  bool is_lost_ = false;
};

class load_connection {
 public:
  /// Returns the reason when the server is not reached or not believed within 10 s.
  [[nodiscard]] static expected<std::unique_ptr<load_connection>, std::string> open(
      const load_server& server);
  ~load_connection();
  load_connection(const load_connection&) = delete;
  load_connection& operator=(const load_connection&) = delete;

  /// False: the connection is gone.
  [[nodiscard]] bool send(std::string_view text);
  /// Appends what has come, without waiting. False: the connection is gone.
  [[nodiscard]] bool read(bytes& plain);
  /// Waits until something can be read.
  void wait(int at_most_ms) const;
  [[nodiscard]] int descriptor() const { return fd_; }

 private:
  load_connection(int fd, const load_server& server);
  [[nodiscard]] bool flush();

  int fd_;
  public_tls::session tls_;
};

/// Which connections have something to be read.
class connection_set {
 public:
  connection_set();
  ~connection_set();
  connection_set(const connection_set&) = delete;
  connection_set& operator=(const connection_set&) = delete;

  /// Opens more connections. On each it sends what `request` gives for it, if there is one: servers
  /// do not wait long for a first request.
  [[nodiscard]] expected<void, std::string> open(
      const load_server& server, std::size_t count,
      const std::function<std::string(std::size_t connection)>& request = {});
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] load_connection& at(std::size_t i) { return *all_[i]; }
  /// The numbers of the connections that can be read, after at most so long.
  [[nodiscard]] const std::vector<std::size_t>& wait(int at_most_ms);

 private:
  int epoll_;
  std::vector<std::unique_ptr<load_connection>> all_;
  std::vector<std::size_t> ready_;
};

struct load_plan {
  load_server server;
  std::size_t connections = 16;
  double seconds = 1;
  /// The next request of a connection. nullopt: this connection asks no more.
  std::function<std::optional<std::string>(std::size_t connection)> next;
};

struct load_figures {
  std::uint64_t good = 0, refused = 0;  // responses below status 300, and all others
  double seconds = 0;
  double client_cpu_seconds = 0;
  std::uint64_t body_bytes = 0;  // of the last good response
  unsigned refusal = 0;          // the status of the last other one
  std::vector<double> good_ms;   // from a request to the end of its response
};

/// Asks on each connection again as soon as it has an answer, until the time is over. What is under
/// way then is not counted.
[[nodiscard]] expected<load_figures, std::string> run_load(const load_plan& plan);

/// How long all of many connections took to get the same thing, from the first byte that any of
/// them got.
struct volley_figures {
  double seconds = 0;
  double client_cpu_seconds = 0;
};

/// Every connection asks once, and waits for its response.
[[nodiscard]] expected<volley_figures, std::string> run_volley(connection_set& all,
                                                               std::string_view request);

/// Connections that read streams of events.
class event_subscribers {
 public:
  /// Each sends its request. An event is counted when `mark` has come, which no event has twice.
  [[nodiscard]] expected<void, std::string> begin(
      const load_server& server, std::size_t count,
      const std::function<std::string(std::size_t connection)>& request, std::string mark);
  /// Waits until each has `events` more events than when it was called last.
  [[nodiscard]] expected<volley_figures, std::string> await(std::size_t events, double patience_s);
  /// Bytes that the first one has got.
  [[nodiscard]] std::uint64_t bytes_of_one() const { return bytes_of_one_; }

 private:
  struct reading {
    std::string tail;        // the end of what came, where a mark may have begun
    std::size_t events = 0;  // in all
  };
  [[nodiscard]] bool take(std::size_t which);

  connection_set connections_;
  std::vector<reading> readings_;
  std::string mark_;
  std::size_t wanted_ = 0;
  std::uint64_t bytes_of_one_ = 0;
};

}  // namespace soma::cli
