#include "tests/actors/mesh/hostile_peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>

namespace soma::tests {
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

/// Lets a send give up after a while, since the other end may not read.
void be_patient(int socket) {
  const timeval patience{0, 300'000};
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

}  // namespace

hostile_peer::hostile_peer(int socket) : socket_(socket) {
  be_patient(socket_);
}

hostile_peer::hostile_peer(const mesh::host_port& to, const std::string& from) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto here = address_of(from, 0);
  const auto there = address_of(to.host, to.port);
  be_patient(socket_);
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      ::connect(socket_, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) {
    ::close(socket_);
    throw std::runtime_error("no connection on the loopback interface");
  }
}

hostile_peer::~hostile_peer() {
  ::close(socket_);
}

bool hostile_peer::send_raw(byte_view data) {
  while (!data.empty()) {
    const auto sent = ::send(socket_, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data = data.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<bytes> hostile_peer::read_raw(int at_most_ms) {
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, at_most_ms) <= 0) return bytes{};
  std::array<std::uint8_t, 16 * 1024> room;
  const auto got = ::recv(socket_, room.data(), room.size(), 0);
  if (got <= 0) return std::nullopt;
  return bytes(room.begin(), room.begin() + got);
}

bool hostile_peer::is_closed_within(int at_most_ms) {
  const auto until = steady_clock::now() + milliseconds(at_most_ms);
  while (steady_clock::now() < until) {
    if (!read_raw(20)) return true;
  }
  return false;
}

bool hostile_peer::shake_hands(const crypto::key_pair& key, crypto::tls_side side) {
  identity_.emplace(key);
  session_.emplace(*identity_, side);
  bytes plain;
  session_->feed({}, plain);
  for (int round = 0; round < 100; ++round) {
    bytes wire;
    session_->take(wire);
    if (!send_raw(wire)) return false;
    if (session_->state() == crypto::tls_state::open) return true;
    const auto came = read_raw(100);
    if (!came) return false;
    if (session_->feed(*came, plain) == crypto::tls_state::failed) return false;
  }
  return false;
}

bool hostile_peer::send(byte_view plain) {
  if (session_->write(plain) != crypto::tls_state::open) return false;
  bytes wire;
  session_->take(wire);
  return send_raw(wire);
}

hostile_listener::hostile_listener() {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto here = address_of(at_.host, 0);
  socklen_t size = sizeof here;
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      ::listen(socket_, 64) != 0 ||
      ::getsockname(socket_, reinterpret_cast<sockaddr*>(&here), &size) != 0) {
    ::close(socket_);
    throw std::runtime_error("no listening on the loopback interface");
  }
  at_.port = ntohs(here.sin_port);
}

hostile_listener::~hostile_listener() {
  ::close(socket_);
}

std::unique_ptr<hostile_peer> hostile_listener::accept(int at_most_ms) {
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, at_most_ms) <= 0) return nullptr;
  const int accepted = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
  return accepted < 0 ? nullptr : std::make_unique<hostile_peer>(accepted);
}

}  // namespace soma::tests
