#include "actors/http/client_link.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace soma::http {
namespace {

using crypto::tls_state;
using kind = client_failure_kind;

constexpr std::size_t receive_bytes = 64 * 1024;
constexpr std::size_t send_step_bytes = 64 * 1024;
constexpr std::size_t max_proxy_answer_bytes = 8 * 1024;

/// What a thread that looks up a name shares with the one that waits for it.
struct lookup {
  std::mutex mutex;
  std::condition_variable done;
  bool over = false;
  boost::system::error_code failed;
  std::vector<boost::asio::ip::tcp::endpoint> found;
};

}  // namespace

cancel_signal::cancel_signal() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}
cancel_signal::~cancel_signal() {
  ::close(descriptor_);
}
void cancel_signal::raise() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(descriptor_, &one, sizeof one) == sizeof one);
}

client_link::client_link(const client_options& options, const cancel_signal& cancelled)
    : options_(options), cancelled_(cancelled) {}

std::uint64_t client_link::now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

client_failure client_link::failure(client_failure_kind what, std::string why) const {
  return {what, to_text(options_.server) + ": " + std::move(why)};
}

/// Waits until the socket is ready, within the limit between two arrivals and that of the exchange.
client_link::result client_link::wait(bool for_reading) {
  const auto begun_ms = now_ms();
  auto until_ms = begun_ms + options_.idle_ms;
  if (end_ms_ != 0) until_ms = std::min(until_ms, end_ms_);
  while (true) {
    const auto present_ms = now_ms();
    const short wanted = for_reading ? POLLIN : POLLOUT;
    std::array<pollfd, 2> on{
        {{socket_.native_handle(), wanted, 0}, {cancelled_.descriptor(), POLLIN, 0}}};
    const auto left_ms = until_ms - std::min(until_ms, present_ms);
    const int ready = ::poll(on.data(), on.size(), static_cast<int>(left_ms));
    if (ready < 0 && errno == EINTR) continue;
    if (on[1].revents != 0) return make_unexpected(failure(kind::cancelled, "cancelled"));
    if (on[0].revents != 0) return {};
    if (ready < 0 || now_ms() >= until_ms) {
      return make_unexpected(failure(kind::too_late, "it did not answer in time"));
    }
  }
}

/// The system's look-up of names has no limit of time, so another thread does it. When the limit is
/// reached, that thread is left alone and ends by itself.
client_link::result client_link::resolve(const origin& to, std::vector<tcp::endpoint>& found) {
  boost::system::error_code not_numeric;
  const auto address = boost::asio::ip::make_address(to.host, not_numeric);
  if (!not_numeric) {
    found = {tcp::endpoint(address, to.port)};
    return {};
  }
  const auto shared = std::make_shared<lookup>();
  std::thread([shared, host = to.host, port = std::to_string(to.port)] {
    boost::asio::io_context io;
    boost::system::error_code failed;
    const auto all = tcp::resolver(io).resolve(host, port, tcp::resolver::numeric_service, failed);
    const std::lock_guard lock(shared->mutex);
    shared->failed = failed;
    for (const auto& one : all) shared->found.push_back(one.endpoint());
    shared->over = true;
    shared->done.notify_all();
  }).detach();
  std::unique_lock lock(shared->mutex);
  while (!shared->over) {
    pollfd cancelled{cancelled_.descriptor(), POLLIN, 0};
    if (::poll(&cancelled, 1, 0) > 0) return make_unexpected(failure(kind::cancelled, "cancelled"));
    if (now_ms() >= end_ms_) {
      return make_unexpected(failure(kind::too_late, "the name of the host was not found in time"));
    }
    shared->done.wait_for(lock, std::chrono::milliseconds(50));
  }
  if (shared->failed || shared->found.empty()) {
    return make_unexpected(failure(kind::no_address, "there is no address of " + to.host));
  }
  found = shared->found;
  return {};
}

client_link::result client_link::connect(const origin& to) {
  std::vector<tcp::endpoint> all;
  if (auto found = resolve(to, all); !found) return found;
  std::string why = "there is no connection";
  for (const auto& there : all) {
    boost::system::error_code failed;
    socket_ = tcp::socket(io_);
    socket_.open(there.protocol(), failed);
    if (!failed) socket_.non_blocking(true, failed);
    if (!failed) socket_.set_option(tcp::no_delay(true), failed);
    if (!failed) socket_.connect(there, failed);
    if (failed == boost::asio::error::in_progress || failed == boost::asio::error::would_block) {
      if (auto waited = wait(false); !waited) return waited;
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
      failed = boost::system::error_code(error, boost::system::system_category());
    }
    if (!failed) return {};
    why = failed.message();
  }
  return make_unexpected(failure(kind::unreachable, authority_of(to) + ": " + why));
}

client_link::result client_link::open() {
  const auto exchange_end_ms = end_ms_;
  const auto connect_end_ms = now_ms() + options_.connect_ms;
  end_ms_ = exchange_end_ms == 0 ? connect_end_ms : std::min(connect_end_ms, exchange_end_ms);
  const auto proxy = proxy_for(options_.server, options_.environment);
  if (!proxy) return make_unexpected(failure(kind::bad_proxy, std::string(proxy.error())));
  auto done = connect(*proxy ? **proxy : options_.server);
  if (done && *proxy) done = ask_proxy();
  if (done && options_.server.tls) done = shake_hands();
  end_ms_ = exchange_end_ms;
  return done;
}

client_link::result client_link::ask_proxy() {
  const auto authority = authority_of(options_.server);
  const auto asked = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\n";
  if (auto sent = write_raw(as_bytes(asked)); !sent) return sent;
  bytes answer;
  std::string_view text;
  while (text.find("\r\n\r\n") == std::string_view::npos) {
    if (answer.size() > max_proxy_answer_bytes) {
      return make_unexpected(failure(kind::bad_proxy, "the proxy's answer is too long"));
    }
    if (auto came = read_raw(answer); !came) return came;
    text = {reinterpret_cast<const char*>(answer.data()), answer.size()};
  }
  boost::beast::http::response_parser<boost::beast::http::empty_body> parser;
  parser.skip(true);
  boost::beast::error_code failed;
  const auto taken = parser.put(boost::asio::buffer(answer), failed);
  if (failed || taken != answer.size() || parser.get().result_int() / 100 != 2) {
    return make_unexpected(
        failure(kind::bad_proxy, "the proxy does not connect: " + std::string(text.substr(9, 3))));
  }
  return {};
}

client_link::result client_link::shake_hands() {
  auto trust = options_.trust;
  if (!trust) {
    trust = options_.server.pin ? public_tls::client_trust::pinned(*options_.server.pin)
                                : public_tls::client_trust::system_authorities();
  }
  tls_.emplace(std::move(trust), options_.server.host);
  bytes nothing;
  tls_->feed({}, nothing);
  while (true) {
    bytes out, in;
    tls_->take(out);
    if (auto sent = write_raw(out); !sent && tls_->distrust().empty()) return sent;
    if (tls_->state() == tls_state::open) return {};
    if (tls_->state() != tls_state::handshaking) break;
    if (auto came = read_raw(in); !came) return came;
    tls_->feed(in, nothing);
  }
  if (!tls_->distrust().empty()) {
    return make_unexpected(failure(kind::not_believed, tls_->distrust()));
  }
  return make_unexpected(failure(kind::broken, "the TLS handshake failed"));
}

client_link::result client_link::write_raw(byte_view data) {
  while (!data.empty()) {
    boost::system::error_code failed;
    const auto sent = socket_.write_some(boost::asio::buffer(data.data(), data.size()), failed);
    data = data.subspan(sent);
    if (failed == boost::asio::error::would_block) {
      if (auto waited = wait(false); !waited) return waited;
    } else if (failed && failed != boost::asio::error::interrupted) {
      return make_unexpected(failure(kind::broken, failed.message()));
    }
  }
  return {};
}

client_link::result client_link::read_raw(bytes& data) {
  while (true) {
    // Also when bytes are there: who sends without an end is seen to by the limit of the exchange.
    if (auto waited = wait(true); !waited) return waited;
    if (end_ms_ != 0 && now_ms() >= end_ms_) {
      return make_unexpected(failure(kind::too_late, "it did not end in time"));
    }
    boost::system::error_code failed;
    const auto before = data.size();
    data.resize(before + receive_bytes);
    const auto got =
        socket_.read_some(boost::asio::buffer(data.data() + before, receive_bytes), failed);
    data.resize(before + got);
    if (got > 0) return {};
    if (failed == boost::asio::error::would_block || failed == boost::asio::error::interrupted) {
      continue;
    }
    at_end_ = failed == boost::asio::error::eof;
    return make_unexpected(
        failure(kind::broken, at_end_ ? "it has closed the connection" : failed.message()));
  }
}

client_link::result client_link::write(byte_view plain) {
  if (!tls_) return write_raw(plain);
  while (!plain.empty()) {
    const auto part = plain.first(std::min(plain.size(), send_step_bytes));
    plain = plain.subspan(part.size());
    if (tls_->state() != tls_state::open || tls_->write(part) != tls_state::open) {
      return make_unexpected(failure(kind::broken, "TLS failed"));
    }
    bytes out;
    tls_->take(out);
    if (auto sent = write_raw(out); !sent) return sent;
  }
  return {};
}

client_link::result client_link::read(bytes& plain) {
  if (!tls_) return read_raw(plain);
  const auto before = plain.size();
  while (plain.size() == before) {
    if (tls_->state() != tls_state::open) {
      // Only TLS's own goodbye is an end that nobody on the way can have made up.
      at_end_ = tls_->state() == tls_state::ended;
      return make_unexpected(
          failure(kind::broken, at_end_ ? "it has closed the connection" : "TLS failed"));
    }
    bytes in;
    auto came = read_raw(in);
    at_end_ = false;
    if (!came) return came;
    tls_->feed(in, plain);
    bytes out;
    tls_->take(out);
    if (auto sent = write_raw(out); !sent) return sent;
  }
  return {};
}

bool client_link::is_stale() {
  pollfd on{socket_.native_handle(), POLLIN, 0};
  return ::poll(&on, 1, 0) != 0;
}

std::optional<hash256> client_link::server_pin() const {
  return tls_ ? tls_->server_pin() : std::nullopt;
}

}  // namespace soma::http
