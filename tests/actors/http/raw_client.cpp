#include "tests/actors/http/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace soma::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(port);
  inet_pton(AF_INET, host.c_str(), &made.sin_addr);
  return made;
}

}  // namespace

raw_client::raw_client(std::uint16_t port, const setting& how) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto here = address_of(how.from, 0);
  const auto there = address_of(how.to, port);
  const timeval patience{0, 300'000};
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (how.receive_bytes > 0) {
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &how.receive_bytes, sizeof how.receive_bytes);
  }
  const bool bound = how.from.empty() ||
                     ::bind(socket_, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0;
  if (!bound || ::connect(socket_, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) {
    ::close(socket_);
    throw std::runtime_error("no connection from " + how.from + " to " + how.to);
  }
  if (!how.trust) return;
  tls_.emplace(how.trust, "localhost");
  bytes plain;
  tls_->feed({}, plain);
  for (int round = 0; round < 100 && tls_->state() == crypto::tls_state::handshaking; ++round) {
    if (!send({}) || !read_some(1'000)) break;
  }
}

raw_client::~raw_client() {
  ::close(socket_);
}

bool raw_client::send(std::string_view text) {
  bytes wire;
  byte_view left = as_bytes(text);
  if (tls_) {
    if (!text.empty() && tls_->state() != crypto::tls_state::open) return false;
    if (!text.empty()) tls_->write(left);
    tls_->take(wire);
    left = wire;
  }
  return send_bare(left);
}

bool raw_client::send_bare(byte_view wire) {
  while (!wire.empty()) {
    const auto sent = ::send(socket_, wire.data(), wire.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    wire = wire.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool raw_client::read_some(int at_most_ms) {
  if (ended_) return false;
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, std::max(at_most_ms, 0)) <= 0) return false;
  std::array<std::uint8_t, 64 * 1024> room;
  const auto got = ::recv(socket_, room.data(), room.size(), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  const auto came = byte_view(room).first(static_cast<std::size_t>(got));
  if (!tls_) {
    in_.append(came.begin(), came.end());
    return true;
  }
  bytes plain;
  tls_->feed(came, plain);
  in_.append(plain.begin(), plain.end());
  return send({});
}

std::string raw_client::read_until(std::string_view needle, int at_most_ms) {
  const auto until = steady_clock::now() + milliseconds(at_most_ms);
  while (in_.find(needle) == std::string::npos && !ended_ && steady_clock::now() < until) {
    read_some(static_cast<int>((until - steady_clock::now()) / milliseconds(1)) + 1);
  }
  return std::exchange(in_, {});
}

std::optional<std::string> raw_client::read_to_end(int at_most_ms) {
  const auto until = steady_clock::now() + milliseconds(at_most_ms);
  while (!ended_ && steady_clock::now() < until) read_some(20);
  if (!ended_) return std::nullopt;
  return std::exchange(in_, {});
}

unsigned raw_client::status(int at_most_ms) {
  head_ = body_ = {};
  const auto until = steady_clock::now() + milliseconds(at_most_ms);
  const auto wait = [&](const std::function<bool()>& so) {
    while (!so() && !ended_ && steady_clock::now() < until) read_some(20);
    return so();
  };
  if (!wait([&] { return in_.find("\r\n\r\n") != std::string::npos; })) return 0;
  const auto end = in_.find("\r\n\r\n") + 4;
  head_ = in_.substr(0, end);
  in_.erase(0, end);
  const std::string mark = "Content-Length: ";
  if (const auto at = head_.find(mark); at != std::string::npos) {
    const auto size = std::stoul(head_.substr(at + mark.size()));
    wait([&] { return in_.size() >= size || head_.starts_with("HTTP/1.1 204"); });
    body_ = in_.substr(0, size);
    in_.erase(0, body_.size());
  }
  return static_cast<unsigned>(std::stoul(head_.substr(9, 3)));
}

bool raw_client::is_closed_within(int at_most_ms) {
  const auto until = steady_clock::now() + milliseconds(at_most_ms);
  while (!ended_ && steady_clock::now() < until) read_some(10);
  return ended_;
}

bool wait_for(const std::function<bool()>& so) {
  const auto until = steady_clock::now() + milliseconds(2'000);
  while (!so() && steady_clock::now() < until) std::this_thread::sleep_for(milliseconds(2));
  return so();
}

void test_server::settle() const {
  raw_client other(port(), {.from = "127.0.0.250"});
  other.send(get_a);
  if (other.status() != 200) throw std::runtime_error("the server answers nobody");
}

test_server::test_server(const std::function<void(http::server_options&)>& change) {
  http::server_options options;
  options.tick_ms = 3;
  options.now_ms = [clock = time_ms] { return clock->load(); };
  options.body_limit = [](const http::request_head& head) -> http::body_verdict {
    if (head.path == "/none") {
      return make_unexpected(http::error_response(404, "not_found", "there is no such endpoint"));
    }
    return 100'000;
  };
  if (change) change(options);
  options.handler = [this, other = options.handler](http::request asked, http::responder to) {
    ++requests;
    if (asked.path == "/a") return to.send(http::make_response(200, "text/plain", "hello"));
    if (asked.path == "/echo") {
      return to.send({200,
                      "application/octet-stream",
                      {},
                      std::make_shared<const bytes>(std::move(asked.body))});
    }
    if (other) other(std::move(asked), std::move(to));
  };
  is = std::make_unique<http::server>(std::move(options));
}

}  // namespace soma::test
