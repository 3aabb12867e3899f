#include "tests/support/free_ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>

namespace soma::support {
namespace {

constexpr std::uint32_t lowest = 12'000, highest = 32'000;

bool is_free(std::uint16_t port) {
  const int opened = ::socket(AF_INET, SOCK_STREAM, 0);
  if (opened < 0) return false;
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // A port whose last connections are still in their time of waiting can be listened on.
  const int yes = 1;
  ::setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const bool bound = ::bind(opened, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  ::close(opened);
  return bound;
}

}  // namespace

std::uint16_t free_ports(std::uint16_t count) {
  static std::atomic<std::uint32_t> next{static_cast<std::uint32_t>(::getpid()) * 61};
  for (std::uint32_t tried = 0; tried < highest - lowest; tried += count) {
    const auto place = next.fetch_add(count);
    const auto first = static_cast<std::uint16_t>(lowest + place % (highest - lowest - count));
    std::uint16_t found = 0;
    while (found < count && is_free(static_cast<std::uint16_t>(first + found))) ++found;
    if (found == count) return first;
  }
  throw std::runtime_error("no ports are free");
}

}  // namespace soma::support
