// The other end of a connection that a test writes down: a server or a proxy that answers with
// given bytes, says nothing, or passes on what it gets.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace soma::test {

/// Gives each connection, one after the other, to `serve`, which closes nothing. The sockets give
/// up a wait after a second.
class scripted_peer {
 public:
  explicit scripted_peer(std::function<void(int socket)> serve) : serve_(std::move(serve)) {
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.1", &here.sin_addr);
    socklen_t size = sizeof here;
    if (::bind(listening_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
        ::listen(listening_, 16) != 0 ||
        ::getsockname(listening_, reinterpret_cast<sockaddr*>(&here), &size) != 0) {
      throw std::runtime_error("no listening on the loopback interface");
    }
    port_ = ntohs(here.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~scripted_peer() {
    over_ = true;
    thread_.join();
    ::close(listening_);
  }
  scripted_peer(const scripted_peer&) = delete;
  scripted_peer& operator=(const scripted_peer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Reads up to the end of a header.
  static std::string read_head(int socket) {
    std::string all;
    char c = 0;
    while (all.find("\r\n\r\n") == std::string::npos && ::recv(socket, &c, 1, 0) == 1) all += c;
    return all;
  }
  static bool say(int socket, std::string_view text) {
    return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  /// Passes bytes on between the two sockets until one of them ends, or both say nothing for a
  /// second.
  static void pass_on(int a, int b) {
    std::array<char, 16 * 1024> room;
    while (true) {
      std::array<pollfd, 2> on{{{a, POLLIN, 0}, {b, POLLIN, 0}}};
      if (::poll(on.data(), on.size(), 1'000) <= 0) return;
      for (const auto& [from, to] : {std::pair(on[0], b), std::pair(on[1], a)}) {
        if (from.revents == 0) continue;
        const auto got = ::recv(from.fd, room.data(), room.size(), 0);
        if (got <= 0) return;
        if (!say(to, {room.data(), static_cast<std::size_t>(got)})) return;
      }
    }
  }

 private:
  void run() {
    while (!over_) {
      pollfd on{listening_, POLLIN, 0};
      if (::poll(&on, 1, 5) <= 0) continue;
      const int socket = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      const timeval patience{1, 0};
      setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      serve_(socket);
      ::close(socket);
    }
  }

  std::function<void(int)> serve_;
  int listening_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace soma::test
