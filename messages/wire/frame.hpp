// Frames: how messages follow each other on a wire between machines that do not trust each other
// (security §3.1). A frame is sixteen bytes, little endian, followed by the payload:
//
//   0  magic      u32   frame_magic
//   4  type       u16   the kind of message in the payload
//   6  flags      u16   0
//   8  length     u32   bytes of the payload
//  12  checksum   u32   CRC-32C of the header, with this field zero, and of the payload
//
// By security §3.3 a reader allocates memory in step with what has arrived, never by what a header
// claims. By security §3.2 it checks the length against the limit of the type before it takes a
// byte of payload. By security §3.4 a connection must not be used further after a refusal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "messages/values/bytes.hpp"
#include "messages/values/expected.hpp"

namespace soma::inline wire {

inline constexpr std::uint32_t frame_magic = 0x31584d53;  // "SMX1"
inline constexpr std::size_t frame_header_bytes = 16;
inline constexpr std::size_t frame_growth_bytes = 64 * 1024;

struct frame {
  std::uint16_t type = 0;
  bytes payload;
  friend bool operator==(const frame&, const frame&) = default;
};

enum class frame_refusal : std::uint8_t {
  wrong_magic,
  unknown_type,
  unknown_flags,  // all sixteen flags are reserved
  too_long,       // longer than frames of this type may be
  wrong_checksum,
};
[[nodiscard]] std::string_view to_text(frame_refusal refusal);

/// Asserts that the payload fits the length field.
[[nodiscard]] bytes make_frame(std::uint16_t type, byte_view payload);

class frame_reader {
 public:
  /// The largest payload in bytes of a frame of this type; nullopt if there is no such type.
  using limit_function = std::function<std::optional<std::uint32_t>(std::uint16_t type)>;
  explicit frame_reader(limit_function limit_of) : limit_of_(std::move(limit_of)) {}

  /// Takes what has arrived, in pieces of any size, and appends each complete frame to `out`.
  /// Frames before a refused frame are appended too. After one refusal every call is refused.
  expected<void, frame_refusal> feed(byte_view arrived, std::vector<frame>& out);

  /// The bytes held for a frame that is not complete yet; a quota counts them.
  [[nodiscard]] std::size_t held_bytes() const { return buffer_.capacity(); }
  /// True if the stream may end here without cutting a frame.
  [[nodiscard]] bool is_between_frames() const { return buffer_.empty(); }
  /// The length of the payload of the frame that is arriving, once its header is complete.
  [[nodiscard]] std::optional<std::size_t> announced_bytes() const {
    if (buffer_.size() < frame_header_bytes) return std::nullopt;
    return length_;
  }

 private:
  expected<void, frame_refusal> check_header();
  void take(byte_view& arrived, std::size_t wanted);

  limit_function limit_of_;
  bytes buffer_;            // the header and the part of the payload that has come
  std::size_t length_ = 0;  // length of the payload, once the header is complete
  std::optional<frame_refusal> refused_;
};

}  // namespace soma::inline wire
