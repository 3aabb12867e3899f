// Turns a value into the canonical words of its message without the copies that a message of any
// size needs: the draft lies in memory that the thread keeps, and one pass over it writes the
// canonical form. What must hold: the words equal those that message<T>::build makes (security
// §7.6).
#pragma once

#include <capnp/message.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace soma::inline wire::detail {

/// Appends the canonical form of the message in `segment` (its first word is the root pointer) to
/// `out`. A builder of this process has filled the segment, so nothing in it is checked.
void append_canonical(std::span<const std::uint64_t> segment, std::vector<std::uint64_t>& out);

/// A message while its fields are set. It uses the thread's own memory, or the heap if the message
/// is large or if another draft of this thread is in use.
class message_draft {
 public:
  message_draft();
  ~message_draft();
  message_draft(const message_draft&) = delete;
  message_draft& operator=(const message_draft&) = delete;

  template <class T>
  [[nodiscard]] typename T::Builder root() {
    return builder_->initRoot<T>();
  }
  /// The segment table and the segment in canonical form. Valid until the thread finishes another
  /// draft.
  template <class T>
  [[nodiscard]] std::span<const std::uint64_t> finish() {
    const auto segments = builder_->getSegmentsForOutput();
    if (segments.size() == 1) return framed(segments[0]);
    const auto segment = capnp::canonicalize(builder_->getRoot<T>().asReader());
    return framed(segment.asPtr());
  }

 private:
  [[nodiscard]] static std::span<const std::uint64_t> framed(
      kj::ArrayPtr<const capnp::word> segment);

  bool first_ = false;  // this draft uses the thread's memory
  std::optional<capnp::MallocMessageBuilder> builder_;
};

}  // namespace soma::inline wire::detail
