#include "actors/http/exchange.hpp"

#include <utility>

namespace soma::http {

struct body_stream::holder {
  std::shared_ptr<exchange> of;
  explicit holder(std::shared_ptr<exchange> owner) : of(std::move(owner)) {}
  holder(const holder&) = delete;
  holder& operator=(const holder&) = delete;
  ~holder() { of->end(exchange::stream_end::aborted); }
};

struct responder::holder {
  std::shared_ptr<exchange> of;
  explicit holder(std::shared_ptr<exchange> owner) : of(std::move(owner)) {}
  holder(const holder&) = delete;
  holder& operator=(const holder&) = delete;
  ~holder() { of->drop(); }
};

bool body_stream::write(shared_bytes piece) const {
  return holder_ && holder_->of->write(std::move(piece));
}
bool body_stream::write(bytes piece) const {
  return write(std::make_shared<const bytes>(std::move(piece)));
}
bool body_stream::write(std::string_view text) const {
  const auto view = as_bytes(text);
  return write(bytes(view.begin(), view.end()));
}
bool body_stream::write(file_part piece) const {
  return holder_ && holder_->of->write(std::move(piece));
}
void body_stream::finish() const {
  if (holder_) holder_->of->end(exchange::stream_end::finished);
}
void body_stream::abort() const {
  if (holder_) holder_->of->end(exchange::stream_end::aborted);
}
std::size_t body_stream::queued_bytes() const {
  return holder_ ? holder_->of->queued_bytes() : 0;
}
bool body_stream::is_gone() const {
  return !holder_ || holder_->of->is_gone();
}

responder::responder(std::shared_ptr<exchange> of)
    : holder_(std::make_shared<holder>(std::move(of))) {}

void responder::send(response answer) const {
  if (holder_) holder_->of->send(std::move(answer));
}
body_stream responder::stream(response head, std::optional<std::uint64_t> length,
                              stream_events events) const {
  return holder_ ? holder_->of->stream(std::move(head), length, std::move(events)) : body_stream();
}
bool responder::is_gone() const {
  return !holder_ || holder_->of->is_gone();
}

exchange::exchange(std::shared_ptr<memory_budget> budget, std::size_t queue_bytes,
                   std::function<void()> wake)
    : budget_(std::move(budget)), queue_bytes_(queue_bytes), wake_(std::move(wake)) {}

void exchange::send(response whole) {
  {
    const std::lock_guard lock(mutex_);
    if (answered_ || gone_) return;
    answered_ = true;
    answer_.emplace(answer{std::move(whole), false, std::nullopt});
  }
  wake_();
}

body_stream exchange::stream(response head, std::optional<std::uint64_t> length,
                             stream_events events) {
  body_stream made;
  {
    const std::lock_guard lock(mutex_);
    if (answered_ || gone_) return made;
    answered_ = true;
    answer_.emplace(answer{std::move(head), true, length});
    events_ = std::move(events);
    made.holder_ = std::make_shared<body_stream::holder>(shared_from_this());
    if (events_.want_more) stream_ = made.holder_;
  }
  wake_();
  return made;
}

bool exchange::write(shared_bytes data) {
  if (!data || data->empty()) return !is_gone();
  return queue({std::move(data), {}, memory_share(budget_)});
}

bool exchange::write(file_part part) {
  if (!part.file || part.size == 0) return !is_gone();
  return queue({nullptr, std::move(part), memory_share(budget_)});
}

bool exchange::queue(piece next) {
  bool taken = false;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || end_ != stream_end::open) return false;
    overfull_ = queued_bytes_ >= queue_bytes_;
    // A part of a file takes no memory.
    out_of_memory_ = !overfull_ && next.data && !next.memory.grow_to(next.size());
    taken = !overfull_ && !out_of_memory_;
    if (taken) {
      queued_bytes_ += next.size();
      pieces_.push_back(std::move(next));
      asked_ = false;
    } else {
      end_ = stream_end::aborted;
    }
  }
  wake_();
  return taken;
}

void exchange::end(stream_end how) {
  std::shared_ptr<body_stream::holder> kept;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || end_ != stream_end::open) return;
    end_ = how;
    kept = std::move(stream_);
  }
  wake_();
}

void exchange::drop() {
  send(error_response(500, "no_answer", "the server has lost this request"));
}

std::size_t exchange::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return queued_bytes_;
}
bool exchange::is_gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

std::optional<exchange::answer> exchange::take_answer() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answer_, std::nullopt);
}

std::optional<exchange::piece> exchange::next_piece() {
  const std::lock_guard lock(mutex_);
  if (pieces_.empty()) return std::nullopt;
  piece next = std::move(pieces_.front());
  pieces_.pop_front();
  queued_bytes_ -= next.size();
  return next;
}

exchange::stream_end exchange::ended() const {
  const std::lock_guard lock(mutex_);
  if (end_ == stream_end::finished && !pieces_.empty()) return stream_end::open;
  return end_;
}
bool exchange::is_overfull() const {
  const std::lock_guard lock(mutex_);
  return overfull_;
}
bool exchange::is_out_of_memory() const {
  const std::lock_guard lock(mutex_);
  return out_of_memory_;
}

void exchange::ask_for_more() {
  body_stream to;
  std::function<void(const body_stream&)> ask;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || asked_ || end_ != stream_end::open || queued_bytes_ > queue_bytes_ / 2) return;
    to.holder_ = stream_;
    if (!to.holder_) return;
    asked_ = true;
    ask = events_.want_more;
  }
  ask(to);
}

void exchange::close(bool whole, bool tell) {
  stream_events events;
  std::deque<piece> pieces;
  std::shared_ptr<body_stream::holder> kept;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(gone_, true)) return;
    kept = std::move(stream_);
    events = std::exchange(events_, {});
    pieces.swap(pieces_);
    queued_bytes_ = 0;
    answer_.reset();
  }
  if (tell && events.on_end) events.on_end(whole);
}

}  // namespace soma::http
