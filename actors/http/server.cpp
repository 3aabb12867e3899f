#include "actors/http/server.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "actors/http/connection.hpp"
#include "actors/http/peer_limits.hpp"
#include "messages/values/assert.hpp"

namespace soma::http {
namespace {

using tcp = asio::ip::tcp;

std::uint64_t system_now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

/// What responders keep of a server that may be gone.
struct gate {
  std::mutex mutex;
  asio::io_context* io = nullptr;  // nullptr: the server is gone
};

}  // namespace

class server::core final : public connection_owner {
 public:
  explicit core(server_options options);
  ~core();
  core(const core&) = delete;
  core& operator=(const core&) = delete;

  [[nodiscard]] std::uint64_t now_ms() const override { return options_.now_ms(); }
  [[nodiscard]] std::optional<std::uint32_t> must_wait_s(const std::string& client) override;
  [[nodiscard]] std::function<void()> waker(std::weak_ptr<connection> of) override;
  void wait_for_turn(std::weak_ptr<connection> of) override;
  void end_turn(std::uint64_t round) override;
  void closed(connection& which) override;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const server_counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t held_bytes() const { return budget_->held(); }
  void replace_identity(std::shared_ptr<const public_tls::server_identity> identity);

 private:
  void listen();
  void accept();
  void admit(tcp::socket socket, const asio::ip::address& from);
  [[nodiscard]] bool is_room();
  void give_turns();
  void give_turns_later();
  void wait_for_tick();
  void shut_down();

  server_options options_;
  std::vector<asio::ip::address> proxies_;
  server_counters counters_;
  std::shared_ptr<memory_budget> budget_;
  token_buckets requests_, arrivals_;
  connection_counts counts_;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();

  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer timer_{io_};
  bool accepting_ = false;
  std::uint16_t port_ = 0;
  std::uint64_t last_number_ = 0;
  std::deque<std::weak_ptr<connection>> want_turns_;
  std::size_t turns_ = 0;    // that have begun in this round and are not over
  std::uint64_t round_ = 0;  // each tick begins a round, so that no slow answer holds a turn
  bool giving_turns_ = false;
  std::map<std::uint64_t, std::shared_ptr<connection>> connections_;
  std::thread thread_;
};

server::core::core(server_options options)
    : options_(std::move(options)),
      budget_(std::make_shared<memory_budget>(options_.limits.memory_bytes)),
      requests_(options_.limits.requests_per_second, options_.limits.requests_burst,
                options_.limits.buckets),
      arrivals_(options_.limits.connections_per_second, options_.limits.connections_burst,
                options_.limits.buckets) {
  SOMA_ASSERT(options_.handler, "a server has a handler");
  SOMA_ASSERT(serialize_head({}, {}, options_.headers), "headers of every response are valid");
  if (!options_.now_ms) options_.now_ms = system_now_ms;
  for (const auto& proxy : options_.proxies) {
    boost::system::error_code unreadable;
    proxies_.push_back(asio::ip::make_address(proxy, unreadable));
    if (unreadable)
      throw std::system_error(std::make_error_code(std::errc::invalid_argument), proxy);
  }
  listen();
  gate_->io = &io_;
  accept();
  wait_for_tick();
  thread_ = std::thread([this] { io_.run(); });
}

server::core::~core() {
  SOMA_ASSERT(std::this_thread::get_id() != thread_.get_id(), "no callback destroys the server");
  {
    const std::lock_guard lock(gate_->mutex);
    gate_->io = nullptr;
  }
  asio::post(io_, [this] { shut_down(); });
  thread_.join();
}

void server::core::shut_down() {
  io_.stop();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& [number, one] : std::map(connections_)) {
    one->silence();
    one->close();
  }
}

/// Boost throws an error class of its own, with the names of its source files in the text. The
/// server promises std::system_error, whose text an operator can read.
void server::core::listen() {
  boost::system::error_code failed;
  const auto must = [&failed] {
    if (failed) throw std::system_error(failed);
  };
  const auto found =
      tcp::resolver(io_).resolve(options_.listen_host, std::to_string(options_.listen_port),
                                 tcp::resolver::passive | tcp::resolver::numeric_service, failed);
  must();
  const tcp::endpoint here = *found.begin();
  acceptor_.open(here.protocol(), failed);
  must();
  acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
  must();
  acceptor_.bind(here, failed);
  must();
  acceptor_.listen(tcp::acceptor::max_listen_connections, failed);
  must();
  const tcp::endpoint bound = acceptor_.local_endpoint(failed);
  must();
  port_ = bound.port();
}

void server::core::accept() {
  if (accepting_) return;
  accepting_ = true;
  acceptor_.async_accept([this](boost::system::error_code failed, tcp::socket socket) {
    accepting_ = false;
    // Most likely no descriptor or no memory is left. The next tick tries again.
    if (failed) return;
    boost::system::error_code gone;
    const auto from = socket.remote_endpoint(gone);
    if (!gone) admit(std::move(socket), from.address());
    accept();
  });
}

/// The socket of a client that is not admitted is closed here. It has cost no more than that, no
/// handshake.
void server::core::admit(tcp::socket socket, const asio::ip::address& from) {
  const bool proxy = std::ranges::find(proxies_, from) != proxies_.end();
  if (!options_.identity && !from.is_loopback() && !proxy) {
    ++counters_.refused_plain;
    return;
  }
  if (!proxy && !arrivals_.take(host_of(from), now_ms())) {
    ++counters_.refused_connections_rate;
    return;
  }
  if (!is_room()) {
    ++counters_.refused_connections;
    return;
  }
  if (!proxy && !counts_.enter(from, options_.limits)) {
    ++counters_.refused_connections_host;
    return;
  }
  ++counters_.connections;
  ++counters_.connections_open;
  const auto made = std::make_shared<connection>(
      connection::setting{options_, *this, budget_, counters_}, ++last_number_, std::move(socket),
      from, proxy, options_.identity);
  connections_.emplace(made->number(), made);
  made->begin();
}

/// When all places are taken, the connection that has been without a whole request for longest is
/// closed. So connections that only wait cannot keep others out.
bool server::core::is_room() {
  if (connections_.size() < options_.limits.connections) return true;
  std::shared_ptr<connection> oldest;
  for (const auto& [number, one] : connections_) {
    if (one->is_waiting() && (!oldest || one->since_ms() < oldest->since_ms())) oldest = one;
  }
  if (!oldest) return false;
  ++counters_.displaced;
  oldest->close();
  return true;
}

std::optional<std::uint32_t> server::core::must_wait_s(const std::string& client) {
  boost::system::error_code unreadable;
  const auto host = host_of(asio::ip::make_address(client, unreadable));
  if (requests_.take(host, now_ms())) return std::nullopt;
  return requests_.wait_s(host, now_ms());
}

std::function<void()> server::core::waker(std::weak_ptr<connection> of) {
  return [gate = gate_, of = std::move(of)] {
    const std::lock_guard lock(gate->mutex);
    if (gate->io == nullptr) return;
    asio::post(*gate->io, [of] {
      if (const auto alive = of.lock()) alive->progress();
    });
  };
}

void server::core::wait_for_turn(std::weak_ptr<connection> of) {
  want_turns_.push_back(std::move(of));
  give_turns_later();
}

void server::core::end_turn(std::uint64_t round) {
  if (round != round_) return;
  --turns_;
  give_turns_later();
}

void server::core::give_turns_later() {
  if (want_turns_.empty() || turns_ >= options_.limits.pipelined_requests) return;
  if (std::exchange(giving_turns_, true)) return;
  asio::post(io_, [this] {
    giving_turns_ = false;
    give_turns();
  });
}

void server::core::give_turns() {
  // What is over at once comes again later, behind everything else that the loop has to do.
  for (auto left = want_turns_.size(); left > 0; --left) {
    if (turns_ >= options_.limits.pipelined_requests) return;
    const auto next = want_turns_.front().lock();
    want_turns_.pop_front();
    if (!next) continue;
    ++turns_;
    next->take_turn(round_);
  }
}

void server::core::closed(connection& which) {
  if (!which.is_from_proxy()) counts_.leave(which.address());
  --counters_.connections_open;
  connections_.erase(which.number());
}

void server::core::wait_for_tick() {
  timer_.expires_after(std::chrono::milliseconds(options_.tick_ms));
  timer_.async_wait([this](boost::system::error_code failed) {
    if (failed) return;
    const auto now = now_ms();
    for (const auto& [number, one] : std::map(connections_)) one->tick(now);
    accept();
    ++round_;
    turns_ = 0;
    give_turns_later();
    wait_for_tick();
  });
}

void server::core::replace_identity(std::shared_ptr<const public_tls::server_identity> identity) {
  SOMA_ASSERT(identity, "a server does not lose its identity");
  asio::post(io_, [this, identity = std::move(identity)] { options_.identity = identity; });
}

server::server(server_options options) : core_(std::make_unique<core>(std::move(options))) {}
server::~server() = default;

std::uint16_t server::port() const {
  return core_->port();
}
const server_counters& server::counters() const {
  return core_->counters();
}
std::size_t server::held_bytes() const {
  return core_->held_bytes();
}
void server::replace_identity(std::shared_ptr<const public_tls::server_identity> identity) {
  core_->replace_identity(std::move(identity));
}

}  // namespace soma::http
