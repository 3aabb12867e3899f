// Frames: how messages follow each other on a wire between strangers. Sixteen bytes, little endian:
//   magic u32 | type u16 | flags u16 | length of the payload u32 | CRC-32C u32 of header (with this
//   field zero) and payload
// then the payload. A reader allocates in step with what has arrived, never by what a header
// claims, and it checks the length against the limit of its type before taking a byte of payload.
// After a refusal the connection is of no more use.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "messages/types/bytes.hpp"
#include "messages/types/expected.hpp"

namespace soma {

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

}  // namespace soma
