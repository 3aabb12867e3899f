#include "messages/wire/frame.hpp"

#include <algorithm>
#include <cstring>

#include "messages/values/assert.hpp"
#include "messages/wire/crc32c.hpp"

namespace soma::inline wire {
namespace {

struct header {
  std::uint32_t magic = frame_magic;
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t length = 0;
  std::uint32_t checksum = 0;
};
static_assert(sizeof(header) == frame_header_bytes);

header header_in(byte_view data) {
  header read;
  std::memcpy(&read, data.data(), sizeof read);
  return read;
}

std::uint32_t checksum_of(header read, byte_view payload) {
  read.checksum = 0;
  std::uint8_t raw[sizeof read];
  std::memcpy(raw, &read, sizeof read);
  return crc32c(payload, crc32c(raw));
}

}  // namespace

bytes make_frame(std::uint16_t type, byte_view payload) {
  SOMA_ASSERT(payload.size() <= UINT32_MAX, "a payload whose length fits its field");
  header made;
  made.type = type;
  made.length = static_cast<std::uint32_t>(payload.size());
  made.checksum = checksum_of(made, payload);
  bytes out(sizeof made);
  out.reserve(sizeof made + payload.size());
  std::memcpy(out.data(), &made, sizeof made);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

void frame_reader::take(byte_view& arrived, std::size_t wanted) {
  const std::size_t step = std::min(arrived.size(), wanted - buffer_.size());
  if (buffer_.size() + step > buffer_.capacity()) {
    // Reserves room for what came, and for as much again or for one step. So copying stays linear,
    // and memory grows in step with what arrives.
    const std::size_t ahead = std::max(buffer_.size() + step, frame_growth_bytes);
    buffer_.reserve(std::min(wanted, buffer_.size() + step + ahead));
  }
  buffer_.insert(buffer_.end(), arrived.begin(),
                 arrived.begin() + static_cast<std::ptrdiff_t>(step));
  arrived = arrived.subspan(step);
}

expected<void, frame_refusal> frame_reader::check_header() {
  const header read = header_in(buffer_);
  if (read.magic != frame_magic) return make_unexpected(frame_refusal::wrong_magic);
  if (read.flags != 0) return make_unexpected(frame_refusal::unknown_flags);
  const auto limit = limit_of_(read.type);
  if (!limit) return make_unexpected(frame_refusal::unknown_type);
  if (read.length > *limit) return make_unexpected(frame_refusal::too_long);
  length_ = read.length;
  return {};
}

expected<void, frame_refusal> frame_reader::feed(byte_view arrived, std::vector<frame>& out) {
  if (refused_) return make_unexpected(*refused_);
  for (;;) {
    if (buffer_.size() < frame_header_bytes) {
      take(arrived, frame_header_bytes);
      if (buffer_.size() < frame_header_bytes) return {};
      if (auto checked = check_header(); !checked) {
        refused_ = checked.error();
        return checked;
      }
    }
    take(arrived, frame_header_bytes + length_);
    if (buffer_.size() < frame_header_bytes + length_) return {};
    const header read = header_in(buffer_);
    const byte_view payload = byte_view(buffer_).subspan(frame_header_bytes);
    if (checksum_of(read, payload) != read.checksum) {
      refused_ = frame_refusal::wrong_checksum;
      return make_unexpected(*refused_);
    }
    out.push_back({read.type, bytes(payload.begin(), payload.end())});
    bytes().swap(buffer_);  // an idle connection holds no memory
    if (arrived.empty()) return {};
  }
}

std::string_view to_text(frame_refusal refusal) {
  switch (refusal) {
    case frame_refusal::wrong_magic:
      return "not a frame";
    case frame_refusal::unknown_type:
      return "a frame of unknown type";
    case frame_refusal::unknown_flags:
      return "a frame with unknown flags";
    case frame_refusal::too_long:
      return "a frame longer than its type allows";
    case frame_refusal::wrong_checksum:
      return "a frame whose checksum is wrong";
  }
  return "unknown refusal";
}

}  // namespace soma::inline wire
