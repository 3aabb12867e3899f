#include "deploy/soma/bench_gateway/load_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <system_error>

#include "deploy/soma/shell/stop.hpp"
#include "messages/values/assert.hpp"

namespace soma::cli {
namespace {

using steady = std::chrono::steady_clock;

constexpr int patience_ms = 10'000;
constexpr std::size_t max_head_bytes = 16 * 1024;
constexpr std::size_t read_bytes = 256 * 1024;

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string system_error_text() {
  return std::generic_category().message(errno);
}

/// The value of the header Content-Length.
std::optional<std::uint64_t> length_in(std::string head) {
  std::ranges::transform(head, head.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  constexpr std::string_view name = "\r\ncontent-length: ";
  const auto at = head.find(name);
  if (at == head.npos) return std::nullopt;
  std::uint64_t length = 0;
  const auto* const begin = head.data() + at + name.size();
  const auto read = std::from_chars(begin, head.data() + head.size(), length);
  if (read.ec != std::errc()) return std::nullopt;
  return length;
}

}  // namespace

void response_reader::read_head() {
  const auto status = std::from_chars(head_.data() + 9, head_.data() + head_.size(), status_);
  left_ = length_in(head_);
  is_lost_ = !head_.starts_with("HTTP/1.1 ") || status.ec != std::errc() || !left_;
  body_bytes_ = left_.value_or(0);
}

bool response_reader::take(byte_view arrived) {
  if (!left_) {
    const auto before = head_.size();
    head_.append(reinterpret_cast<const char*>(arrived.data()),
                 std::min(arrived.size(), max_head_bytes - before));
    const auto end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    is_lost_ = end == head_.npos && head_.size() == max_head_bytes;
    if (end == head_.npos) return false;
    head_.resize(end + 4);
    arrived = arrived.subspan(head_.size() - before);
    read_head();
    if (is_lost_) return false;
  }
  is_lost_ = arrived.size() > *left_;  // nothing more was asked for
  *left_ -= std::min<std::uint64_t>(*left_, arrived.size());
  if (*left_ > 0 || is_lost_) return false;
  left_.reset();
  head_.clear();
  return true;
}

load_connection::load_connection(int fd, const load_server& server)
    : fd_(fd), tls_(server.trust, "127.0.0.1") {}

load_connection::~load_connection() {
  ::close(fd_);
}

expected<std::unique_ptr<load_connection>, std::string> load_connection::open(
    const load_server& server) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return make_unexpected("no more connections: " + system_error_text());
  std::unique_ptr<load_connection> made(new load_connection(fd, server));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(server.port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
    return make_unexpected("cannot connect: " + system_error_text());
  }
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  bytes nothing;
  const auto end = steady::now() + std::chrono::milliseconds(patience_ms);
  made->tls_.feed({}, nothing);
  while (made->tls_.state() == crypto::tls_state::handshaking) {
    if (!made->flush() || steady::now() > end) return make_unexpected(std::string("no handshake"));
    made->wait(100);
    if (!made->read(nothing)) return make_unexpected("no handshake " + made->tls_.distrust());
  }
  if (!made->flush()) return make_unexpected(std::string("the server has gone"));
  return made;
}

bool load_connection::flush() {
  bytes out;
  tls_.take(out);
  for (std::size_t at = 0; at < out.size();) {
    const auto sent = ::send(fd_, out.data() + at, out.size() - at, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) return false;
    at += sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  return true;
}

bool load_connection::send(std::string_view text) {
  if (tls_.state() != crypto::tls_state::open) return false;
  tls_.write(as_bytes(text));
  return flush();
}

bool load_connection::read(bytes& plain) {
  static thread_local std::array<std::uint8_t, read_bytes> arrived;
  const auto got = ::recv(fd_, arrived.data(), arrived.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  const auto state = tls_.feed(byte_view(arrived).first(static_cast<std::size_t>(got)), plain);
  return state == crypto::tls_state::open || state == crypto::tls_state::handshaking;
}

void load_connection::wait(int at_most_ms) const {
  pollfd one{fd_, POLLIN, 0};
  (void)::poll(&one, 1, at_most_ms);
}

connection_set::connection_set() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  SOMA_ASSERT(epoll_ >= 0, "a process may wait for its sockets");
}

connection_set::~connection_set() {
  ::close(epoll_);
}

expected<void, std::string> connection_set::open(
    const load_server& server, std::size_t count,
    const std::function<std::string(std::size_t connection)>& request) {
  for (std::size_t i = 0; i < count; ++i) {
    leave_if_stop_requested();
    auto one = load_connection::open(server);
    if (!one) return make_unexpected(std::move(one.error()));
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = all_.size();
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, (*one)->descriptor(), &wanted) != 0) {
      return make_unexpected(system_error_text());
    }
    all_.push_back(std::move(*one));
    if (request && !all_.back()->send(request(i))) {
      return make_unexpected(std::string("a connection is gone"));
    }
  }
  return {};
}

const std::vector<std::size_t>& connection_set::wait(int at_most_ms) {
  std::array<epoll_event, 256> found{};
  ready_.clear();
  const int count = ::epoll_wait(epoll_, found.data(), static_cast<int>(found.size()), at_most_ms);
  for (int i = 0; i < count; ++i) ready_.push_back(found[static_cast<std::size_t>(i)].data.u64);
  return ready_;
}

expected<load_figures, std::string> run_load(const load_plan& plan) {
  struct state {
    response_reader reader;
    steady::time_point asked;
  };
  connection_set all;
  if (auto opened = all.open(plan.server, plan.connections); !opened) {
    return make_unexpected(std::move(opened.error()));
  }
  std::vector<state> states(all.size());
  load_figures out;
  std::size_t asking = 0;
  const auto cpu_before = cpu_seconds();
  const auto start = steady::now();
  const auto ask = [&](std::size_t i) {
    const auto request = plan.next(i);
    if (!request) return true;
    ++asking;
    states[i].asked = steady::now();
    return all.at(i).send(*request);
  };
  bool is_fine = true;
  for (std::size_t i = 0; i < all.size(); ++i) is_fine &= ask(i);
  bytes plain;
  while (is_fine && asking > 0 && seconds_since(start) < plan.seconds) {
    leave_if_stop_requested();
    for (const auto i : all.wait(10)) {
      plain.clear();
      auto& one = states[i];
      is_fine &= all.at(i).read(plain);
      const bool is_whole = !plain.empty() && one.reader.take(plain);
      is_fine &= !one.reader.is_lost();
      if (!is_fine || !is_whole) continue;
      --asking;
      if (one.reader.status() < 300) {
        ++out.good;
        out.body_bytes = one.reader.body_bytes();
        out.good_ms.push_back(seconds_since(one.asked) * 1e3);
      } else {
        ++out.refused;
        out.refusal = one.reader.status();
      }
      is_fine &= ask(i);
    }
  }
  if (!is_fine) return make_unexpected(std::string("the server has closed a connection"));
  out.seconds = seconds_since(start);
  out.client_cpu_seconds = cpu_seconds() - cpu_before;
  return out;
}

expected<volley_figures, std::string> run_volley(connection_set& all, std::string_view request) {
  std::vector<response_reader> readers(all.size());
  const auto cpu_before = cpu_seconds();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all.at(i).send(request)) return make_unexpected(std::string("a connection is gone"));
  }
  std::optional<steady::time_point> first;
  const auto begun = steady::now();
  bytes plain;
  for (std::size_t left = all.size(); left > 0;) {
    leave_if_stop_requested();
    if (seconds_since(begun) > 30) return make_unexpected(std::string("an answer does not come"));
    for (const auto i : all.wait(100)) {
      if (!first) first = steady::now();
      plain.clear();
      if (!all.at(i).read(plain)) return make_unexpected(std::string("a connection is gone"));
      if (plain.empty() || !readers[i].take(plain)) continue;
      if (readers[i].status() != 200) return make_unexpected(std::string("an answer is no 200"));
      --left;
    }
  }
  return volley_figures{seconds_since(*first), cpu_seconds() - cpu_before};
}

expected<void, std::string> event_subscribers::begin(
    const load_server& server, std::size_t count,
    const std::function<std::string(std::size_t connection)>& request, std::string mark) {
  mark_ = std::move(mark);
  if (auto opened = connections_.open(server, count, request); !opened) return opened;
  readings_.resize(count);
  // A stream is there when its header has come.
  for (std::size_t i = 0; i < count; ++i) {
    const auto end = steady::now() + std::chrono::milliseconds(patience_ms);
    bytes head;
    std::string_view text;
    while (text.find("\r\n\r\n") == text.npos) {
      leave_if_stop_requested();
      connections_.at(i).wait(100);
      const bool is_closed = !connections_.at(i).read(head);
      if (is_closed || steady::now() > end) {
        return make_unexpected("stream " + std::to_string(i) + " of " + std::to_string(count) +
                               (is_closed ? " is closed at once" : " does not begin"));
      }
      text = {reinterpret_cast<const char*>(head.data()), head.size()};
    }
    const auto line = text.substr(0, text.find('\r'));
    if (!line.starts_with("HTTP/1.1 200 ")) return make_unexpected(std::string(line));
  }
  bytes_of_one_ = 0;
  return {};
}

bool event_subscribers::take(std::size_t which) {
  bytes plain;
  if (!connections_.at(which).read(plain)) return false;
  if (which == 0) bytes_of_one_ += plain.size();
  auto& one = readings_[which];
  one.tail.append(reinterpret_cast<const char*>(plain.data()), plain.size());
  for (auto at = one.tail.find(mark_); at != std::string::npos; at = one.tail.find(mark_)) {
    ++one.events;
    one.tail.erase(0, at + mark_.size());
  }
  if (one.tail.size() > 4 * mark_.size() + 64) {
    one.tail.erase(0, one.tail.size() - 2 * mark_.size());
  }
  return true;
}

expected<volley_figures, std::string> event_subscribers::await(std::size_t events,
                                                               double patience_s) {
  wanted_ += events;
  std::optional<steady::time_point> first;
  const auto cpu_before = cpu_seconds();
  const auto begun = steady::now();
  auto left = static_cast<std::size_t>(
      std::ranges::count_if(readings_, [this](const auto& one) { return one.events < wanted_; }));
  while (left > 0) {
    leave_if_stop_requested();
    if (seconds_since(begun) > patience_s) {
      return make_unexpected(std::to_string(left) + " of " + std::to_string(readings_.size()) +
                             " subscribers have not got an event");
    }
    for (const auto i : connections_.wait(100)) {
      const auto now = steady::now();
      const auto before = readings_[i].events;
      if (!take(i)) return make_unexpected(std::string("the server has cut a stream"));
      if (!first && readings_[i].events > before) first = now;
      if (before < wanted_ && readings_[i].events >= wanted_) --left;
    }
  }
  return volley_figures{first ? seconds_since(*first) : 0, cpu_seconds() - cpu_before};
}

}  // namespace soma::cli
