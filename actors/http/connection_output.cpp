// How a connection writes its responses.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "actors/http/connection.hpp"

namespace soma::http {
namespace {

using crypto::tls_state;

constexpr std::size_t write_step_bytes = 64 * 1024;
// A part that is at least so large is encrypted where it lies, and not copied first.
constexpr std::size_t large_part_bytes = 16 * 1024;

server_counters::count& outcome(server_counters& of, unsigned status) {
  if (status < 300) return of.responses_2xx;
  if (status < 400) return of.responses_3xx;
  return status < 500 ? of.responses_4xx : of.responses_5xx;
}

std::string chunk_size(std::size_t size) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  return std::string(digits.data(), end) + "\r\n";
}

}  // namespace

/// Answers without the handler.
void connection::answer(response what, bool closes) {
  closes_ = closes || !parser_->keeps_alive();
  parser_.reset();
  stage_ = stage::responding;
  since_ms_ = now();
  streaming_ = false;
  start({std::move(what), false, std::nullopt});
  flush();
}

void connection::start(const exchange::answer& what) {
  started_ = true;
  end_turn();
  streaming_ = what.is_stream && !without_body_;
  chunked_ = what.is_stream && !what.length && !is_1_0_;
  if (what.is_stream && !what.length && is_1_0_) closes_ = true;
  stream_left_ = what.length;
  response_framing framing{what.length, chunked_, closes_};
  if (!what.is_stream) framing.length = what.head.body_size();
  const auto head = serialize_head(what.head, framing, all_.options.headers);
  if (!head) {
    if (exchange_) exchange_->close(false, !silent_);
    return start({error_response(500, "bad_header", "the server made no valid header"), false, {}});
  }
  ++outcome(all_.counters, what.head.status);
  push(*head);
  if (what.is_stream || without_body_ || what.head.body_size() == 0) return;
  if (what.head.status == 204 || what.head.status == 304) return;
  exchange::piece body{what.head.body, what.head.file, memory_share(all_.budget)};
  if (!body.file.file && !body.memory.grow_to(body.size())) {
    ++all_.counters.refused_memory;
    queue_.pop_back();
    const auto busy = retry_response(503, "busy", "the server holds too much; try again later",
                                     limits().retry_after_s);
    push(*serialize_head(busy, {busy.body->size(), false, closes_}, all_.options.headers));
    return push(busy.body);
  }
  queue_.push_back({std::move(body), 0});
}

void connection::push(shared_bytes data) {
  queue_.push_back({{std::move(data), {}, memory_share(all_.budget)}, 0});
}
void connection::push(std::string_view text) {
  const auto view = as_bytes(text);
  push(std::make_shared<const bytes>(view.begin(), view.end()));
}

void connection::progress() {
  if (stage_ != stage::responding || !exchange_) return;
  if (!started_) {
    const auto what = exchange_->take_answer();
    if (!what) return;
    since_ms_ = now();
    body_memory_.clear();
    start(*what);
  }
  flush();
}

/// Moves the next pieces of a stream to the queue.
void connection::pull() {
  bool asked = false;
  while (streaming_ && queue_.size() < 4) {
    auto next = exchange_->next_piece();
    if (!next) {
      if (asked || silent_) return;
      asked = true;
      exchange_->ask_for_more();
      continue;
    }
    asked = false;
    const auto size = next->size();
    if (stream_left_) {
      if (size > *stream_left_) return exchange_->end(exchange::stream_end::aborted), close();
      *stream_left_ -= size;
    }
    if (chunked_) push(chunk_size(size));
    queue_.push_back({std::move(*next), 0});
    if (chunked_) push("\r\n");
  }
}

/// At most so many bytes of what is queued first, which count as taken. Those of a file are read
/// into `scratch`. nullopt: the file does not give them.
std::optional<byte_view> connection::next_part(std::size_t most, bytes& scratch) {
  auto& front = queue_.front();
  const auto size = std::min(front.what.size() - front.at, most);
  const auto at = std::exchange(front.at, front.at + size);
  if (!front.what.file.file) return byte_view(*front.what.data).subspan(at, size);
  scratch.resize(size);
  const auto& file = front.what.file;
  if (!file.file->read(file.offset + at, scratch)) return std::nullopt;
  return scratch;
}

/// Makes the next part for the wire. False when there is nothing to send.
bool connection::fill_out() {
  if (stage_ == stage::responding && streaming_) pull();
  if (stage_ == stage::closed) return false;
  bytes plain, scratch;
  out_.clear();
  out_at_ = 0;
  std::size_t taken = 0;
  const auto can_write = [this] { return tls_ && tls_->state() == tls_state::open; };
  while (!queue_.empty() && taken < write_step_bytes) {
    const auto part = next_part(write_step_bytes - taken, scratch);
    if (!part) return close(), false;
    taken += part->size();
    if (part->size() < large_part_bytes || !can_write()) {
      // Small pieces go together: a header and its body are one record.
      plain.insert(plain.end(), part->begin(), part->end());
    } else {
      if (!plain.empty()) tls_->write(plain);
      plain.clear();
      if (can_write()) tls_->write(*part);
    }
    if (queue_.front().at == queue_.front().what.size()) queue_.pop_front();
  }
  if (!tls_) {
    out_ = std::move(plain);
  } else {
    if (!plain.empty() && can_write()) tls_->write(plain);
    tls_->take(out_);
  }
  // An idle connection holds no buffer.
  if (out_.empty()) bytes().swap(out_);
  return !out_.empty();
}

void connection::flush() {
  while (!writing_ && stage_ != stage::closed) {
    if (out_at_ == out_.size() && !fill_out()) {
      if (stage_ == stage::responding && started_ && queue_.empty()) response_written();
      return;
    }
    boost::system::error_code failed;
    const auto left = byte_view(out_).subspan(out_at_);
    const auto sent = socket_.write_some(asio::buffer(left.data(), left.size()), failed);
    out_at_ += sent;
    drained_bytes_ += sent;
    all_.counters.bytes_out += sent;
    if (failed == asio::error::would_block) {
      writing_ = true;
      if (!drain_since_ms_) drain_since_ms_ = now(), drained_bytes_ = 0;
      socket_.async_wait(tcp::socket::wait_write,
                         [self = shared_from_this()](boost::system::error_code broken) {
                           self->writing_ = false;
                           if (self->stage_ == stage::closed) return;
                           if (broken) return self->lose();
                           self->flush();
                         });
    } else if (failed && failed != asio::error::interrupted) {
      return lose();
    }
  }
}

/// Nothing waits to be written. The response may be whole, or more of it may come.
void connection::response_written() {
  drain_since_ms_.reset();
  if (streaming_) {
    const auto end = exchange_->ended();
    if (end == exchange::stream_end::open) return wait_to_read();
    if (end == exchange::stream_end::aborted || (stream_left_ && *stream_left_ > 0)) {
      if (exchange_->is_out_of_memory()) ++all_.counters.refused_memory;
      if (exchange_->is_overfull()) ++all_.counters.slow_readers;
      return close();
    }
    streaming_ = false;
    if (chunked_) {
      push("0\r\n\r\n");
      return flush();
    }
  }
  started_ = false;
  if (const auto done = std::exchange(exchange_, nullptr)) done->close(true, !silent_);
  body_memory_.clear();
  since_ms_ = now();
  if (!closes_) {
    stage_ = stage::idle;
    is_first_ = false;
    return process_later();
  }
  // Closing at once could destroy the response on its way, if the client is still sending.
  if (tls_) tls_->end();
  stage_ = stage::lingering;
  flush();
  if (stage_ == stage::closed) return;
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  in_ = {};
  wait_to_read();
}

void connection::cut(server_counters::count& why) {
  ++why;
  close();
}

void connection::check_drain(std::uint64_t now_ms) {
  if (stage_ == stage::responding && streaming_ &&
      exchange_->ended() == exchange::stream_end::aborted) {
    if (exchange_->is_overfull()) ++all_.counters.slow_readers;
    return close();
  }
  if (!writing_ || !drain_since_ms_) return;
  const auto passed_ms = now_ms - std::min(now_ms, *drain_since_ms_);
  if (passed_ms <= limits().drain_ms) return;
  if (drained_bytes_ * 1000 < std::uint64_t{limits().drain_bytes_per_second} * passed_ms) {
    return cut(all_.counters.slow_readers);
  }
  drain_since_ms_ = now_ms;
  drained_bytes_ = 0;
}

}  // namespace soma::http
