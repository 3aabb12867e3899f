#include "actors/mesh/mesh_core.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <system_error>
#include <utility>

#include "messages/values/assert.hpp"

namespace soma::mesh {
namespace {

using crypto::tls_side;

// Points for misbehaviour that the mesh itself sees; 100 of them (mesh_limits::refuse_at) refuse a
// peer.
constexpr std::uint32_t wrong_handshake_points = 10;
constexpr std::uint32_t late_frame_points = 25;
constexpr std::uint32_t wrong_frame_points = 100;

std::string name_of(const public_key& key) {
  return "key " + to_hex(key);
}

/// The name under which an address is scored. Of an IPv6 address it has the first 48 bits, because
/// a customer gets all addresses below such a prefix.
std::string name_of(const asio::ip::address& address) {
  if (!address.is_v6() || address.to_v6().is_v4_mapped()) return "address " + address.to_string();
  const auto all = address.to_v6().to_bytes();
  return "network " + to_hex(byte_view(all).first(6));
}

std::uint32_t tick_of(const mesh_limits& l) {
  const auto shortest = std::min(
      {l.handshake_ms, l.header_ms, l.body_ms, l.idle_ms / 3, l.retry_min_ms, l.refuse_for_ms});
  return std::clamp(shortest / 4, 2U, 100U);
}

std::uint32_t points_of(link_end why) {
  switch (why) {
    case link_end::handshake_wrong:
      return wrong_handshake_points;
    case link_end::frame_late:
      return late_frame_points;
    case link_end::frame_wrong:
      return wrong_frame_points;
    default:
      return 0;
  }
}

}  // namespace

mesh::core::core(const crypto::key_pair& key, mesh_options options, mesh_callbacks callbacks)
    : key_(key.public_half()),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      identity_(key),
      random_(options_.seed),
      scores_(
          {options_.limits.refuse_at, options_.limits.forget_ms, options_.limits.refuse_for_ms}),
      members_(options_.members.begin(), options_.members.end()),
      tick_ms_(tick_of(options_.limits)) {
  listen();
  set_peers(std::move(options_.peers));
  accept();
  wait_for_tick();
  thread_ = std::thread([this] { io_.run(); });
}

mesh::core::~core() {
  SOMA_ASSERT(std::this_thread::get_id() != thread_.get_id(), "no callback destroys the mesh");
  silent_ = true;
  asio::post(io_, [this] { shut_down(); });
  thread_.join();
}

void mesh::core::shut_down() {
  io_.stop();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& [number, connection] : std::map(connections_)) {
    connection->close(link_end::closed_here);
  }
}

/// Boost throws an error class of its own, with the names of its source files in the text. The mesh
/// promises std::system_error, whose text an operator can read.
void mesh::core::listen() {
  const auto& at = options_.listen;
  boost::system::error_code failed;
  const auto must = [&failed] {
    if (failed) throw std::system_error(failed);
  };
  const auto found =
      tcp::resolver(io_).resolve(at.host, std::to_string(at.port),
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

void mesh::core::accept() {
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

bool mesh::core::is_known(const asio::ip::address& address) const {
  return known_.contains(address);
}

/// The socket of a peer that is not admitted is closed here; the peer has cost no more than that.
void mesh::core::admit(tcp::socket socket, const asio::ip::address& from) {
  const bool known = is_known(from);
  if (!known && scores_.is_refused(name_of(from), mesh_now_ms())) return;
  std::size_t of_address = 0;
  std::size_t of_unknown = 0;
  for (const auto& [number, other] : connections_) {
    if (other->is_open() || other->side() != tls_side::server) continue;
    of_address += other->address() == from ? 1 : 0;
    of_unknown += is_known(other->address()) ? 0 : 1;
  }
  if (of_address >= options_.limits.pending_per_address) return;
  if (!known && of_unknown >= options_.limits.pending) return;
  make_connection(tls_side::server, std::move(socket))->answer(from);
}

mesh::core::connection_ptr mesh::core::make_connection(tls_side side, tcp::socket socket) {
  ++last_number_;
  SOMA_ASSERT(last_number_ != 0, "fewer than 2^32 connections in a life");
  auto made = std::make_shared<mesh_connection>(
      mesh_connection::setting{options_, identity_, *this}, last_number_, side, std::move(socket));
  connections_.emplace(last_number_, made);
  return made;
}

public_key mesh::core::caller_of(const mesh_connection& which) const {
  return which.side() == tls_side::client ? key_ : which.key();
}

/// Whether the newer of two connections of a pair stays. By security §2.3 both ends have to decide
/// alike. When both ends connected at the same time, the connection that the lower key opened
/// stays. An end that opens a second connection has lost its first one, so the newer one stays. The
/// same holds when the older one is too old to have been opened at the same time.
bool mesh::core::replaces(const mesh_connection& newer, const mesh_connection& older) const {
  if (caller_of(newer) == caller_of(older)) return true;
  if (newer.opened_ms() > older.opened_ms() + 2 * options_.limits.handshake_ms) return true;
  return caller_of(newer) == std::min(key_, newer.key());
}

bool mesh::core::is_room_for_stranger(const mesh_connection& which) const {
  std::size_t all = 0;
  std::size_t of_address = 0;
  for (const auto& [number, other] : connections_) {
    if (!other->is_open() || other->is_member() || other.get() == &which) continue;
    ++all;
    of_address += other->address() == which.address() ? 1 : 0;
  }
  return all < options_.limits.strangers && of_address < options_.limits.strangers_per_address;
}

std::optional<link_end> mesh::core::objection(const mesh_connection& to) {
  if (to.key() == key_) return link_end::own_key;
  const auto now_ms = mesh_now_ms();
  bool called = false;
  for (const auto& t : targets_) {
    if (t.calling != to.number()) continue;
    if (t.peer.key != to.key()) return link_end::wrong_key;
    called = true;
  }
  if (scores_.is_refused(name_of(to.key()), now_ms)) return link_end::refused;
  if (!to.is_member() && !called) {
    if (scores_.is_refused(name_of(to.address()), now_ms)) return link_end::refused;
    if (!is_room_for_stranger(to)) return link_end::too_many;
  }
  return std::nullopt;
}

void mesh::core::opened(mesh_connection& which) {
  which.set_member(members_.contains(which.key()));
  if (const auto why = objection(which)) return which.close(*why);
  if (which.side() == tls_side::client) known_.insert(which.address());
  if (const auto other = open_.find(which.key()); other != open_.end()) {
    const auto older = find(other->second);
    if (!replaces(which, *older)) return which.close(link_end::replaced);
    older->close(link_end::replaced);
  }
  open_[which.key()] = which.number();
  if (!silent_ && callbacks_.on_connected) callbacks_.on_connected(which.number(), which.key());
}

void mesh::core::arrived(mesh_connection& which, frame what) {
  if (!silent_ && callbacks_.on_frame) {
    callbacks_.on_frame(which.number(), what.type, std::move(what.payload));
  }
}

void mesh::core::closed(mesh_connection& which, link_end why) {
  const auto keep = find(which.number());
  connections_.erase(which.number());
  bool was_announced = false;
  for (auto entry = open_.begin(); entry != open_.end(); ++entry) {
    if (entry->second != which.number()) continue;
    was_announced = true;
    open_.erase(entry);
    break;
  }
  const auto now_ms = mesh_now_ms();
  for (auto& t : targets_) {
    const bool called = t.calling == which.number();
    if (called) t.calling = 0;
    if (called || (was_announced && t.peer.key == which.key())) {
      call_later(t, was_announced ? now_ms - which.opened_ms() : 0);
    }
  }
  if (const auto points = points_of(why)) add_points(which, points);
  if (was_announced && !silent_ && callbacks_.on_gone) callbacks_.on_gone(which.number(), why);
}

void mesh::core::call_later(target& whom, std::uint64_t lasted_ms) {
  const auto& l = options_.limits;
  if (lasted_ms >= l.retry_max_ms) whom.pause_ms = l.retry_min_ms;
  // The pause is up to a quarter longer or shorter, so that not all nodes connect at once.
  const std::uint64_t jitter = random_.below(whom.pause_ms / 2 + 1);
  // The higher key waits a little longer, since the connection of the lower key is the one that
  // stays.
  const std::uint64_t courtesy = key_ < whom.peer.key ? 0 : l.retry_min_ms / 2;
  whom.next_ms = mesh_now_ms() + whom.pause_ms - whom.pause_ms / 4 + jitter + courtesy;
  whom.pause_ms = std::min(whom.pause_ms * 2, l.retry_max_ms);
}

void mesh::core::call_who_is_due(std::uint64_t now_ms) {
  for (auto& t : targets_) {
    if (t.calling != 0 || now_ms < t.next_ms || open_.contains(t.peer.key)) continue;
    if (scores_.is_refused(name_of(t.peer.key), now_ms)) continue;
    const auto made = make_connection(tls_side::client, tcp::socket(io_));
    t.calling = made->number();
    made->call(t.peer.at);
  }
}

void mesh::core::set_peers(std::vector<mesh_peer> peers) {
  std::vector<target> now;
  for (auto& peer : peers) {
    if (peer.key == key_) continue;
    const auto known = std::ranges::find_if(
        targets_, [&](const target& t) { return t.peer.key == peer.key && t.peer.at == peer.at; });
    if (known != targets_.end()) {
      now.push_back(*known);
      continue;
    }
    target fresh{std::move(peer), mesh_now_ms(), options_.limits.retry_min_ms, 0};
    if (fresh.peer.key < key_) fresh.next_ms += options_.limits.retry_min_ms / 2;
    boost::system::error_code not_numeric;
    const auto address = asio::ip::make_address(fresh.peer.at.host, not_numeric);
    if (!not_numeric) known_.insert(address);
    now.push_back(std::move(fresh));
  }
  targets_ = std::move(now);
}

void mesh::core::set_members(std::vector<public_key> members) {
  members_ = {members.begin(), members.end()};
  for (const auto& [key, number] : open_) find(number)->set_member(members_.contains(key));
}

void mesh::core::wait_for_tick() {
  timer_.expires_after(std::chrono::milliseconds(tick_ms_));
  timer_.async_wait([this](boost::system::error_code failed) {
    if (failed) return;
    const auto now_ms = mesh_now_ms();
    for (const auto& [number, connection] : std::map(connections_)) connection->tick(now_ms);
    accept();
    call_who_is_due(now_ms);
    wait_for_tick();
  });
}

mesh::core::connection_ptr mesh::core::find(peer_number peer) const {
  const auto found = connections_.find(peer);
  return found == connections_.end() ? nullptr : found->second;
}

void mesh::core::send(const std::vector<peer_number>& to, const framed_bytes& framed) {
  if (to.empty()) {
    for (const auto& [key, number] : std::map(open_)) {
      if (const auto connection = find(number)) connection->send(framed);
    }
    return;
  }
  for (const peer_number number : to) {
    if (const auto connection = find(number)) connection->send(framed);
  }
}

void mesh::core::consumed(peer_number peer, std::size_t payload_bytes) {
  if (const auto connection = find(peer)) connection->consumed(payload_bytes);
}

void mesh::core::blame(peer_number peer, std::uint32_t points) {
  const auto connection = find(peer);
  if (connection && connection->is_open()) add_points(*connection, points);
}

/// By security §6.2 most members stay connected, however they behave: the agreement needs their
/// votes, and it punishes by evidence, not by closing connections.
bool mesh::core::may_refuse_member(std::uint64_t now_ms) const {
  const auto refused = std::ranges::count_if(members_, [&](const public_key& member) {
    return scores_.is_refused(name_of(member), now_ms);
  });
  return static_cast<std::size_t>(refused + 1) * 3 <= members_.size();
}

void mesh::core::add_points(mesh_connection& which, std::uint32_t points) {
  const auto now_ms = mesh_now_ms();
  const auto who = which.is_member() ? name_of(which.key()) : name_of(which.address());
  if (!scores_.add(who, points, now_ms)) return;
  if (!which.is_member() || may_refuse_member(now_ms)) scores_.refuse(who, now_ms);
  which.close(link_end::blamed);
}

}  // namespace soma::mesh
