// Frames: how messages follow each other on a wire between strangers (security §3.1). Sixteen
// bytes, little endian, and then the payload:
//
//   0  magic      u32   frame_magic
//   4  type       u16   the kind of message in the payload
//   6  flags      u16   0
//   8  length     u32   of the payload
//  12  checksum   u32   CRC-32C of header, with this field zero, and payload
//
// By security §3.3 a reader allocates in step with what has arrived, never by what a header claims,
// and by security §3.2 it checks the length against the limit of its type before taking a byte of
// payload. By security §3.4 the connection is of no more use after a refusal.
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
  unknown_flags,  // all sixteen are reserved
  too_long,       // more than frames of this type may carry
  wrong_checksum,
};
[[nodiscard]] std::string_view to_text(frame_refusal refusal);

/// Asserts that the payload fits the length field.
[[nodiscard]] bytes make_frame(std::uint16_t type, byte_view payload);

class frame_reader {
 public:
  /// The most bytes a frame of this type may carry; nullopt: there is no such type.
  using limit_function = std::function<std::optional<std::uint32_t>(std::uint16_t type)>;
  explicit frame_reader(limit_function limit_of) : limit_of_(std::move(limit_of)) {}

  /// Takes what has arrived, in whatever pieces, and appends each frame that is complete to `out`.
  /// Frames before a refused one are appended too. Once refused, always refused.
  expected<void, frame_refusal> feed(byte_view arrived, std::vector<frame>& out);

  /// Bytes held for a frame that is not complete yet: what a quota counts.
  [[nodiscard]] std::size_t held_bytes() const { return buffer_.capacity(); }
  /// Whether the stream may end here without cutting a frame.
  [[nodiscard]] bool is_between_frames() const { return buffer_.empty(); }
  /// Of the frame that is arriving: how long its payload will be, once its header is whole.
  [[nodiscard]] std::optional<std::size_t> announced_bytes() const {
    if (buffer_.size() < frame_header_bytes) return std::nullopt;
    return length_;
  }

 private:
  expected<void, frame_refusal> check_header();
  void take(byte_view& arrived, std::size_t wanted);

  limit_function limit_of_;
  bytes buffer_;            // header and as much of the payload as has come
  std::size_t length_ = 0;  // of the payload, once the header is whole
  std::optional<frame_refusal> refused_;
};

}  // namespace soma::inline wire
