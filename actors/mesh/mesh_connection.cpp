#include "actors/mesh/mesh_connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace soma::mesh {
namespace {

using crypto::tls_side;
using crypto::tls_state;

constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::size_t write_step_bytes = 64 * 1024;
constexpr std::size_t max_handshake_bytes = 32 * 1024;
// What a frame costs beside its payload while the consumer has it.
constexpr std::size_t frame_cost_bytes = 64;

// All connections of a thread share it: what was read is used up before anything else is read.
thread_local std::array<std::uint8_t, read_bytes> arrived_bytes;

framed_bytes keep_alive() {
  static const auto framed = std::make_shared<const bytes>(make_frame(keep_alive_type, {}));
  return framed;
}

}  // namespace

std::uint64_t mesh_now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

mesh_connection::mesh_connection(const setting& all, peer_number number, tls_side side,
                                 tcp::socket socket)
    : all_(all),
      number_(number),
      side_(side),
      socket_(std::move(socket)),
      resolver_(socket_.get_executor()),
      tls_(all.identity, side),
      reader_([this](std::uint16_t type) { return frame_limit(type); }),
      begun_ms_(mesh_now_ms()) {}

const link_quota& mesh_connection::quota() const {
  return member_ ? limits().member : limits().stranger;
}

std::optional<std::uint32_t> mesh_connection::frame_limit(std::uint16_t type) const {
  if (type == keep_alive_type) return 0;
  return all_.options.frame_limit ? all_.options.frame_limit(type, member_) : std::nullopt;
}

void mesh_connection::set_member(bool member) {
  member_ = member;
  wait_to_read();  // the quota may be larger now
}

void mesh_connection::answer(const asio::ip::address& from) {
  address_ = from;
  begin();
}

void mesh_connection::call(const host_port& at) {
  boost::system::error_code not_numeric;
  const auto address = asio::ip::make_address(at.host, not_numeric);
  if (!not_numeric) return connect({tcp::endpoint(address, at.port)}, 0);
  resolver_.async_resolve(at.host, std::to_string(at.port),
                          [self = shared_from_this()](boost::system::error_code failed,
                                                      tcp::resolver::results_type found) {
                            if (self->stage_ != stage::calling) return;
                            if (failed) return self->close(link_end::unreachable);
                            self->connect({found.begin(), found.end()}, 0);
                          });
}

void mesh_connection::connect(std::vector<tcp::endpoint> to, std::size_t next) {
  if (next >= to.size()) return close(link_end::unreachable);
  boost::system::error_code ignored;
  socket_.close(ignored);
  const tcp::endpoint there = to[next];
  socket_.async_connect(there, [self = shared_from_this(), there, next,
                                to = std::move(to)](boost::system::error_code failed) mutable {
    if (self->stage_ != stage::calling) return;
    if (failed) return self->connect(std::move(to), next + 1);
    self->address_ = there.address();
    self->begin();
  });
}

void mesh_connection::begin() {
  boost::system::error_code failed;
  socket_.non_blocking(true, failed);
  if (!failed) socket_.set_option(tcp::no_delay(true), failed);
  if (failed) return close(link_end::unreachable);
  stage_ = stage::handshaking;
  bytes plain;
  if (side_ == tls_side::client) tls_.feed({}, plain);
  flush();
  wait_to_read();
}

void mesh_connection::wait_to_read() {
  if (reading_ || stage_ == stage::closed || stage_ == stage::calling) return;
  if (stage_ == stage::open && in_flight_bytes_ >= quota().in_flight_bytes) return;
  reading_ = true;
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](boost::system::error_code failed) {
                       self->reading_ = false;
                       if (self->stage_ == stage::closed) return;
                       if (failed) return self->close(link_end::unreachable);
                       self->read();
                       self->wait_to_read();
                     });
}

void mesh_connection::read() {
  boost::system::error_code failed;
  const std::size_t got = socket_.read_some(asio::buffer(arrived_bytes), failed);
  if (failed == asio::error::would_block || failed == asio::error::interrupted) return;
  if (failed) {
    return close(failed == asio::error::eof ? link_end::closed_by_peer : link_end::unreachable);
  }
  arrived_ms_ = mesh_now_ms();
  bytes plain;
  const auto state = tls_.feed(byte_view(arrived_bytes).first(got), plain);
  if (stage_ == stage::handshaking) {
    handshake_bytes_ += got;
    if (tls_.peer_key() && (state == tls_state::open || state == tls_state::ended)) {
      stage_ = stage::open;
      opened_ms_ = arrived_ms_;
      flush();
      if (stage_ == stage::open) all_.owner.opened(*this);
    } else if (handshake_bytes_ > max_handshake_bytes) {
      return close(link_end::handshake_wrong);
    }
  }
  take(state, plain);
}

void mesh_connection::take(tls_state state, byte_view plain) {
  if (stage_ == stage::open) take_frames(plain);
  if (stage_ != stage::closed) flush();
  if (stage_ == stage::closed) return;
  if (state == tls_state::ended) return close(link_end::closed_by_peer);
  if (state == tls_state::failed) {
    // Damage on an open connection proves nothing against the peer: any machine on the way can
    // cause it.
    close(stage_ == stage::open ? link_end::unreachable : link_end::handshake_wrong);
  } else if (unsent_bytes() > quota().write_queue_bytes) {
    close(link_end::not_reading);  // it makes TLS answer and does not read the answers
  }
}

void mesh_connection::take_frames(byte_view plain) {
  if (plain.empty()) return;
  const bool was_between = reader_.is_between_frames();
  std::vector<frame> whole;
  const auto fed = reader_.feed(plain, whole);
  if (was_between || !whole.empty()) frame_ms_ = arrived_ms_, body_ms_ = 0;
  if (body_ms_ == 0 && reader_.announced_bytes()) body_ms_ = arrived_ms_;
  for (auto& one : whole) {
    if (one.type == keep_alive_type) continue;
    in_flight_bytes_ += one.payload.size() + frame_cost_bytes;
    all_.owner.arrived(*this, std::move(one));
    if (stage_ == stage::closed) return;
  }
  if (!fed) close(link_end::frame_wrong);
}

void mesh_connection::consumed(std::size_t payload_bytes) {
  in_flight_bytes_ -= std::min(in_flight_bytes_, payload_bytes + frame_cost_bytes);
  if (reading_ || stage_ != stage::open || in_flight_bytes_ >= quota().in_flight_bytes) return;
  // The time for which this side did not read does not count against the peer.
  arrived_ms_ = frame_ms_ = mesh_now_ms();
  if (body_ms_ != 0) body_ms_ = arrived_ms_;
  wait_to_read();
}

void mesh_connection::send(framed_bytes framed) {
  if (stage_ != stage::open) return;
  queued_bytes_ += framed->size();
  queue_.push_back(std::move(framed));
  flush();
  if (stage_ == stage::open && unsent_bytes() > quota().write_queue_bytes) {
    close(link_end::not_reading);
  }
}

std::size_t mesh_connection::unsent_bytes() const {
  return queued_bytes_ + tls_.waiting_bytes() + (out_.size() - out_at_);
}

/// Encrypts the next part of the queue. False when there is nothing to send.
bool mesh_connection::fill_out() {
  bytes plain;
  while (!queue_.empty() && plain.size() < write_step_bytes) {
    const byte_view rest = byte_view(*queue_.front()).subspan(queue_front_at_);
    const byte_view part = rest.first(std::min(rest.size(), write_step_bytes - plain.size()));
    plain.insert(plain.end(), part.begin(), part.end());
    queue_front_at_ += part.size();
    queued_bytes_ -= part.size();
    if (part.size() < rest.size()) break;
    queue_.pop_front();
    queue_front_at_ = 0;
  }
  if (!plain.empty() && tls_.state() == tls_state::open) tls_.write(plain);
  bytes().swap(out_);
  out_at_ = 0;
  tls_.take(out_);
  return !out_.empty();
}

void mesh_connection::flush() {
  while (!writing_) {
    if (out_at_ == out_.size() && !fill_out()) return;
    boost::system::error_code failed;
    const auto left = byte_view(out_).subspan(out_at_);
    out_at_ += socket_.write_some(asio::buffer(left.data(), left.size()), failed);
    if (!failed) {
      sent_ms_ = mesh_now_ms();
    } else if (failed == asio::error::would_block) {
      writing_ = true;
      socket_.async_wait(tcp::socket::wait_write,
                         [self = shared_from_this()](boost::system::error_code broken) {
                           self->writing_ = false;
                           if (self->stage_ == stage::closed) return;
                           if (broken) return self->close(link_end::unreachable);
                           self->flush();
                         });
    } else if (failed != asio::error::interrupted) {
      return close(link_end::unreachable);
    }
  }
}

std::optional<link_end> mesh_connection::overdue(std::uint64_t now_ms) const {
  const auto& l = limits();
  const auto passed = [now_ms](std::uint64_t since, std::uint64_t allowed) {
    return now_ms > since + allowed;
  };
  if (stage_ == stage::calling && passed(begun_ms_, l.handshake_ms)) return link_end::unreachable;
  if (stage_ == stage::handshaking && passed(begun_ms_, l.handshake_ms))
    return link_end::handshake_late;
  if (stage_ != stage::open) return std::nullopt;
  if (writing_ && passed(sent_ms_, l.idle_ms)) return link_end::not_reading;
  if (!reading_) return std::nullopt;  // this side keeps the peer waiting
  if (passed(arrived_ms_, l.idle_ms)) return link_end::idle;
  if (reader_.is_between_frames()) return std::nullopt;
  if (const auto length = reader_.announced_bytes()) {
    const std::uint64_t body_ms =
        l.body_ms + std::uint64_t{*length} * 1000 / std::max(l.body_bytes_per_second, 1U);
    return passed(body_ms_, body_ms) ? std::optional(link_end::frame_late) : std::nullopt;
  }
  return passed(frame_ms_, l.header_ms) ? std::optional(link_end::frame_late) : std::nullopt;
}

void mesh_connection::tick(std::uint64_t now_ms) {
  if (const auto why = overdue(now_ms)) return close(*why);
  if (is_open() && !writing_ && now_ms > sent_ms_ + limits().idle_ms / 3) send(keep_alive());
}

void mesh_connection::close(link_end why) {
  if (stage_ == stage::closed) return;
  const auto self = shared_from_this();
  if (stage_ == stage::open && !writing_) {
    // TLS's goodbye is sent if the socket takes it at once. The queue is dropped.
    tls_.end();
    bytes goodbye;
    tls_.take(goodbye);
    boost::system::error_code ignored;
    socket_.write_some(asio::buffer(goodbye), ignored);
  }
  stage_ = stage::closed;
  boost::system::error_code ignored;
  resolver_.cancel();
  socket_.close(ignored);
  queue_.clear();
  queued_bytes_ = 0;
  bytes().swap(out_);
  out_at_ = 0;
  all_.owner.closed(*this, why);
}

}  // namespace soma::mesh
