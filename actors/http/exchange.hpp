// How a handler answers: at once or later, from any thread, whole or piece by piece.
//
// A responder may be copied. The first send() or stream() of all its copies counts, and later ones
// are ignored. When the last copy goes without an answer, the client gets 500. Nothing here throws,
// blocks, or fails when the client or the server is gone.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "actors/http/limits.hpp"
#include "actors/http/message.hpp"

namespace soma::http {

class exchange;

/// The body of a response that is still being made. Copies write to the same body. When the last
/// copy goes before finish(), the connection is cut, so that the client sees that something is
/// missing. A stream with a want_more is kept by the connection, and needs no copy elsewhere.
class body_stream {
 public:
  body_stream() = default;  // of no response: it is gone

  /// Queues a piece. False when it is of no use to go on: the client is gone; or it did not read
  /// what waits for it, or there is no memory, and it is cut now.
  bool write(shared_bytes piece) const;
  bool write(bytes piece) const;
  bool write(file_part piece) const;
  bool write(std::string_view text) const;
  /// The body is whole.
  void finish() const;
  /// The body cannot be finished, and the connection is cut.
  void abort() const;
  [[nodiscard]] std::size_t queued_bytes() const;
  [[nodiscard]] bool is_gone() const;

 private:
  friend class responder;
  friend class exchange;
  struct holder;
  std::shared_ptr<holder> holder_;
};

/// Both are called on the server's thread, must neither block nor throw, and may destroy no server.
struct stream_events {
  /// The queue has room. It is called again only after something was written.
  std::function<void(const body_stream&)> want_more;
  /// The last call: whether the client's system has taken the whole body. It does not come when the
  /// server is destroyed.
  std::function<void(bool whole)> on_end;
};

class responder {
 public:
  responder() = default;
  explicit responder(std::shared_ptr<exchange> of);

  void send(response answer) const;
  /// Begins a response whose body follows. With a length, the body must have exactly so many bytes;
  /// without, it goes in chunks. The `body` of `head` must be empty.
  [[nodiscard]] body_stream stream(response head, std::optional<std::uint64_t> length,
                                   stream_events events = {}) const;
  /// Whether nobody waits for an answer any more.
  [[nodiscard]] bool is_gone() const;

 private:
  struct holder;
  std::shared_ptr<holder> holder_;
};

/// One request that is being answered. The connection has one side of it, the handles above the
/// other.
class exchange : public std::enable_shared_from_this<exchange> {
 public:
  struct piece {
    shared_bytes data;
    file_part file = {};  // if it has a file: instead of data
    memory_share memory;

    [[nodiscard]] std::size_t size() const { return file.file ? file.size : data->size(); }
  };
  struct answer {
    response head;
    bool is_stream = false;
    std::optional<std::uint64_t> length;
  };
  enum class stream_end : std::uint8_t { open, finished, aborted };

  /// `wake` is called on any thread, without locks held, when the connection has something to do.
  exchange(std::shared_ptr<memory_budget> budget, std::size_t queue_bytes,
           std::function<void()> wake);

  // For the handles, on any thread.
  void send(response whole);
  body_stream stream(response head, std::optional<std::uint64_t> length, stream_events events);
  bool write(shared_bytes data);
  bool write(file_part part);
  void end(stream_end how);
  void drop();
  [[nodiscard]] std::size_t queued_bytes() const;
  [[nodiscard]] bool is_gone() const;

  // For the connection, on its thread.
  [[nodiscard]] std::optional<answer> take_answer();
  [[nodiscard]] std::optional<piece> next_piece();
  /// How the body ends, once no piece is left.
  [[nodiscard]] stream_end ended() const;
  /// Whether the client was cut because it did not read, or because there was no memory.
  [[nodiscard]] bool is_overfull() const;
  [[nodiscard]] bool is_out_of_memory() const;
  /// Calls want_more, if the queue has room for more.
  void ask_for_more();
  /// The connection has no more to do with it. Calls on_end if `tell`.
  void close(bool whole, bool tell);

 private:
  bool queue(piece next);

  const std::shared_ptr<memory_budget> budget_;
  const std::size_t queue_bytes_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  std::optional<answer> answer_;
  bool answered_ = false;
  bool gone_ = false;
  bool overfull_ = false;
  bool out_of_memory_ = false;
  bool asked_ = false;
  stream_end end_ = stream_end::open;
  std::deque<piece> pieces_;
  std::size_t queued_bytes_ = 0;
  stream_events events_;
  std::shared_ptr<body_stream::holder> stream_;  // kept until the end, when there is a want_more
};

}  // namespace soma::http
