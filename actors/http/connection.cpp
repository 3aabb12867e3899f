#include "actors/http/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "messages/values/assert.hpp"

namespace soma::http {
namespace {

using crypto::tls_state;

constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t max_handshake_bytes = 32 * 1024;
constexpr std::size_t max_lingered_bytes = 1024 * 1024;
constexpr std::size_t max_unasked_bytes = 64 * 1024;  // that TLS itself wants to send

// All connections of a thread share it: what was read is used up before anything else is read.
thread_local std::array<std::uint8_t, read_bytes> arrived_bytes;

}  // namespace

connection::connection(const setting& all, std::uint64_t number, tcp::socket socket,
                       const asio::ip::address& from, bool from_proxy,
                       std::shared_ptr<const public_tls::server_identity> identity)
    : all_(all),
      number_(number),
      socket_(std::move(socket)),
      address_(from),
      from_proxy_(from_proxy),
      since_ms_(all.owner.now_ms()) {
  if (identity) {
    tls_.emplace(std::move(identity));
    stage_ = stage::handshaking;
  }
}

void connection::begin() {
  boost::system::error_code failed, ignored;
  socket_.non_blocking(true, failed);
  if (!failed) socket_.set_option(tcp::no_delay(true), failed);
  if (failed) return close();
  socket_.set_option(
      asio::socket_base::send_buffer_size(static_cast<int>(limits().socket_send_bytes)), ignored);
  wait_to_read();
}

/// Nothing more is read while something that was read is not parsed. A client that sends requests
/// without waiting for responses therefore fills one buffer, and then has to wait. A client that
/// goes is noticed meanwhile.
void connection::wait_to_read() {
  if (reading_ || stage_ == stage::closed || !in_.empty()) return;
  reading_ = true;
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](boost::system::error_code failed) {
                       self->reading_ = false;
                       if (self->stage_ == stage::closed) return;
                       if (failed) return self->close();
                       self->read();
                     });
}

void connection::read() {
  boost::system::error_code failed;
  const std::size_t got = socket_.read_some(asio::buffer(arrived_bytes), failed);
  if (failed == asio::error::would_block || failed == asio::error::interrupted) {
    return wait_to_read();
  }
  if (failed) return lose();
  all_.counters.bytes_in += got;
  if (stage_ == stage::lingering) {
    lingered_bytes_ += got;
    if (lingered_bytes_ > max_lingered_bytes) return close();
    return wait_to_read();
  }
  take(got);
  if (stage_ != stage::closed) process();
}

void connection::take(std::size_t got) {
  const auto arrived = byte_view(arrived_bytes).first(got);
  if (!tls_) {
    in_.insert(in_.end(), arrived.begin(), arrived.end());
    return;
  }
  const auto state = tls_->feed(arrived, in_);
  if (stage_ == stage::handshaking) {
    handshake_bytes_ += got;
    if (state == tls_state::open) {
      stage_ = stage::idle;
      since_ms_ = now();
    } else if (state == tls_state::failed || handshake_bytes_ > max_handshake_bytes) {
      ++all_.counters.failed_handshakes;
      flush();  // the alert
      return close();
    }
  }
  if (tls_->waiting_bytes() > max_unasked_bytes) return cut(all_.counters.slow_readers);
  flush();
  if (state == tls_state::ended || state == tls_state::failed) lose();
}

/// The client is gone.
void connection::lose() {
  if (stage_ == stage::responding) ++all_.counters.gone_clients;
  close();
}

/// Parses what was read until a request is whole, or more is needed.
void connection::process() {
  while (!in_.empty() && parse_step()) {
  }
  if (in_.empty()) bytes().swap(in_);  // an idle connection holds no buffers
  wait_to_read();
}

/// Other connections get their turn between two requests of this one. A client that has sent its
/// next request already, without waiting for the response, shares a few places with all others of
/// its kind: otherwise a request of everybody else would wait behind one of each of them.
void connection::process_later() {
  if (std::exchange(processing_later_, true)) return;
  if (!in_.empty()) return all_.owner.wait_for_turn(weak_from_this());
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->processing_later_ = false;
    if (self->stage_ != stage::closed) self->process();
  });
}

void connection::take_turn(std::uint64_t round) {
  processing_later_ = false;
  turn_ = round;
  if (stage_ != stage::closed) process();
  if (stage_ != stage::responding) end_turn();
}

void connection::end_turn() {
  if (const auto round = std::exchange(turn_, std::nullopt)) all_.owner.end_turn(*round);
}

bool connection::parse_step() {
  if (stage_ == stage::idle) {
    parser_.emplace(limits().header_bytes);
    without_body_ = is_1_0_ = false;
    // The deadline of a new connection's first header began with the connection.
    if (!is_first_) since_ms_ = now();
    stage_ = stage::head;
  }
  if (stage_ != stage::head && stage_ != stage::body) return false;
  const auto taken = parser_->feed(in_);
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(taken));
  if (parser_->now() == request_parser::stage::decision) decide();
  if (stage_ == stage::body && !body_memory_.grow_to(parser_->held_bytes())) {
    ++all_.counters.refused_memory;
    answer(retry_response(503, "busy", "the server holds too much; try again later",
                          limits().retry_after_s),
           true);
    return false;
  }
  if (stage_ != stage::head && stage_ != stage::body) return false;
  if (parser_->now() == request_parser::stage::refused) {
    const auto& why = parser_->refusal();
    ++(why.status == 413 ? all_.counters.refused_by_endpoint : all_.counters.malformed);
    auto refusal = error_response(why.status, why.code, why.message);
    if (why.status == 405) refusal.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, DELETE");
    answer(std::move(refusal), true);
    return false;
  }
  if (parser_->now() == request_parser::stage::done) {
    dispatch();
    return false;
  }
  return true;
}

/// The client's address, as far as it is known: a proxy that is named in the options tells it.
std::string connection::client_of(const request_head& head) const {
  if (!from_proxy_) return address_.to_string();
  std::string_view last;
  for (const auto& [name, value] : head.headers) {
    if (name == "x-forwarded-for") last = value;
  }
  last = last.substr(last.rfind(',') == std::string_view::npos ? 0 : last.rfind(',') + 1);
  while (!last.empty() && (last.front() == ' ' || last.front() == '\t')) last.remove_prefix(1);
  boost::system::error_code unreadable;
  const auto told = asio::ip::make_address(std::string(last), unreadable);
  return unreadable ? address_.to_string() : told.to_string();
}

/// Decides about a request whose header is there, the cheapest check first.
void connection::decide() {
  is_first_ = false;
  const auto& head = parser_->head();
  without_body_ = head.verb == method::head;
  is_1_0_ = parser_->is_http_1_0();
  const bool closes = parser_->has_body();  // what was not asked for is not read
  if (const auto wait_s = all_.owner.must_wait_s(client_of(head))) {
    ++all_.counters.refused_rate;
    return answer(retry_response(429, "too_many_requests", "ask less often", *wait_s), closes);
  }
  body_memory_ = memory_share(all_.budget);
  if (!body_memory_.grow_to(limits().header_bytes)) {
    ++all_.counters.refused_memory;
    return answer(retry_response(503, "busy", "the server holds too much; try again later",
                                 limits().retry_after_s),
                  closes);
  }
  body_verdict verdict = 0;
  try {
    if (all_.options.body_limit) verdict = all_.options.body_limit(head);
  } catch (const std::exception&) {
    verdict = make_unexpected(error_response(500, "failed", "the server has failed"));
  }
  if (!verdict) {
    ++all_.counters.refused_by_endpoint;
    return answer(std::move(verdict.error()), closes);
  }
  parser_->accept_body(*verdict);
  if (parser_->now() != request_parser::stage::body) return;
  stage_ = stage::body;
  since_ms_ = now();
  if (parser_->expects_continue() && in_.empty()) push("HTTP/1.1 100 Continue\r\n\r\n");
  flush();
}

void connection::dispatch() {
  closes_ = !parser_->keeps_alive();
  auto whole = parser_->take();
  whole.peer = client_of(whole);
  parser_.reset();
  stage_ = stage::responding;
  since_ms_ = now();
  started_ = streaming_ = false;
  exchange_ = std::make_shared<exchange>(all_.budget, limits().write_queue_bytes,
                                         all_.owner.waker(weak_from_this()));
  if (silent_) return;
  const responder to(exchange_);
  try {
    all_.options.handler(std::move(whole), to);
  } catch (const std::exception&) {
    to.send(error_response(500, "failed", "the server has failed"));
  }
}

void connection::tick(std::uint64_t now_ms) {
  const auto self = shared_from_this();
  check_deadlines(now_ms);
  if (stage_ != stage::closed) check_drain(now_ms);
}

void connection::check_deadlines(std::uint64_t now_ms) {
  const auto& l = limits();
  const auto passed_ms = now_ms - std::min(now_ms, since_ms_);
  const auto late = [&](server_counters::count& why) {
    ++why;
    answer(error_response(408, "too_slow", "the request did not come in time"), true);
  };
  switch (stage_) {
    case stage::handshaking:
      if (passed_ms > l.handshake_ms) cut(all_.counters.late_handshakes);
      break;
    case stage::idle:
      if (is_first_ && passed_ms > l.header_ms) cut(all_.counters.late_headers);
      if (!is_first_ && passed_ms > l.idle_ms) close();
      break;
    case stage::head:
      if (passed_ms > l.header_ms) late(all_.counters.late_headers);
      break;
    case stage::body:
      if (passed_ms > l.body_ms + std::uint64_t{parser_->body_bytes()} * 1000 /
                                      std::max(l.body_bytes_per_second, 1U)) {
        late(all_.counters.late_bodies);
      }
      break;
    case stage::responding:
      if (!started_ && passed_ms > l.answer_ms) {
        ++all_.counters.late_answers;
        exchange_->send(
            retry_response(503, "no_answer", "the server did not answer in time", l.retry_after_s));
      }
      break;
    case stage::lingering:
      if (passed_ms > l.linger_ms) close();
      break;
    case stage::closed:
      break;
  }
}

void connection::close() {
  if (stage_ == stage::closed) return;
  const auto self = shared_from_this();
  if (tls_ && tls_->state() == tls_state::open && !writing_ && stage_ != stage::responding) {
    // TLS's goodbye is sent if the socket takes it at once.
    tls_->end();
    bytes goodbye;
    tls_->take(goodbye);
    boost::system::error_code ignored;
    socket_.write_some(asio::buffer(goodbye), ignored);
  }
  stage_ = stage::closed;
  boost::system::error_code ignored;
  socket_.close(ignored);
  queue_.clear();
  bytes().swap(in_);
  bytes().swap(out_);
  body_memory_.clear();
  parser_.reset();
  if (const auto lost = std::exchange(exchange_, nullptr)) lost->close(false, !silent_);
  end_turn();
  all_.owner.closed(*this);
}

}  // namespace soma::http
