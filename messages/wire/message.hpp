// message<T>: an immutable message of schema struct T. Copying it copies a pointer, and reading it
// parses nothing: the bytes that travel are the words that are read. A message is either built here
// (in canonical form) or has passed the checks of parse.hpp, so every getter of root() is safe: it
// neither throws nor reads beyond the message. Readers are valid as long as any copy of the message
// lives. Several threads may read one message.
#pragma once

#include <capnp/message.h>
#include <capnp/schema.h>

#include <cstddef>
#include <utility>

#include "messages/values/assert.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/ids.hpp"
#include "messages/wire/parse.hpp"
#include "messages/wire/structure.hpp"

namespace soma::inline wire {

/// The largest message of type T in bytes. Specialise it beside a type that needs more or can do
/// with less.
template <class T>
inline constexpr std::size_t max_message_bytes = std::size_t{8} << 20;

/// The structure that the schema of T allows. It is made when it is first needed.
template <class T>
[[nodiscard]] const structure& structure_for() {
  static const structure& known = structure_of(capnp::Schema::from<T>());
  return known;
}

namespace detail {
/// The segment table and the segment of a canonical message. Asserts that our own message is one
/// that other programs will accept.
[[nodiscard]] message_words words_of(kj::ArrayPtr<const capnp::word> segment, const structure& kind,
                                     std::size_t max_bytes);
/// The message in which every field has its default.
[[nodiscard]] const message_words& empty_words();
}  // namespace detail

template <class T>
class message {
 public:
  using Reader = typename T::Reader;
  using Builder = typename T::Builder;

  /// A message in which every field has its default.
  message() : words_(detail::empty_words()) {}

  /// Takes foreign bytes: returns the same bytes as a message, or why they are no message.
  [[nodiscard]] static expected<message, parse_refusal> parse(
      byte_view data, std::size_t max_bytes = max_message_bytes<T>) {
    auto words = parse_words(data, kind(), max_bytes);
    if (!words) return make_unexpected(words.error());
    return message(std::move(*words));
  }

  /// Builds a message; fill(Builder) sets its fields.
  template <class Fill>
  [[nodiscard]] static message build(Fill&& fill) {
    capnp::MallocMessageBuilder draft;
    auto root = draft.initRoot<T>();
    fill(root);
    return copy_of(root.asReader());
  }

  /// Copies what `reader` shows, which may be a part of a larger message, into a message of its
  /// own.
  [[nodiscard]] static message copy_of(Reader reader) {
    const auto segment = capnp::canonicalize(reader);
    return message(detail::words_of(segment.asPtr(), kind(), max_message_bytes<T>));
  }

  [[nodiscard]] Reader root() const {
    // The unchecked reader is safe here, since the walk has checked every word. The checked reader
    // would charge every getter call to a limit that threads share.
    return capnp::readMessageUnchecked<T>(reinterpret_cast<const capnp::word*>(words_->data() + 1));
  }
  /// Makes m->getField() possible: it holds the reader for the length of one expression.
  class arrow {
   public:
    explicit arrow(Reader reader) : reader_(reader) {}
    Reader* operator->() { return &reader_; }

   private:
    Reader reader_;
  };
  [[nodiscard]] arrow operator->() const { return arrow(root()); }

  /// The bytes that travel and that are hashed. Valid as long as any copy of the message lives.
  [[nodiscard]] byte_view bytes() const {
    return {reinterpret_cast<const std::uint8_t*>(words_->data()), words_->size() * 8};
  }

  friend bool operator==(const message& a, const message& b) {
    return a.words_ == b.words_ || *a.words_ == *b.words_;
  }

 private:
  explicit message(message_words words) : words_(std::move(words)) {}
  static const structure& kind() { return structure_for<T>(); }

  message_words words_;
};

/// The bytes of a Data field.
[[nodiscard]] inline byte_view view_of(capnp::Data::Reader data) {
  return {data.begin(), data.size()};
}
/// The bytes of an id or a key, in the form that a setter of a Data field takes.
[[nodiscard]] inline capnp::Data::Reader data_of(byte_view data) {
  return {data.data(), data.size()};
}
template <class Tag>
[[nodiscard]] capnp::Data::Reader data_of(const id32<Tag>& id) {
  return data_of(id.view());
}

}  // namespace soma::inline wire
