// The messages between validators, to bytes and back, by the rules of messages/codec/codec.hpp.
// They are decoded here because the receiver of a block names it by its hash. What must hold:
//   - Decoding shows that bytes have the form of one message. It does not show that anything in the
//     message is signed, fits together or is worth keeping.
//   - The size of a message is checked against the limit of its kind before a value is made of it,
//     and every list against the limits of messages/values/votes.hpp.
//   - The ids of blocks are computed here; an id that a sender states is never used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "messages/codec/codec.hpp"
#include "messages/values/votes.hpp"

namespace soma::inline codec {

inline constexpr std::size_t peer_message_kinds = std::variant_size_v<peer_message>;
inline constexpr std::size_t max_committee_seats = 100;
inline constexpr std::size_t max_standstill_votes = 192;  // for 64 views
/// The sum of the signed bytes (payload_size) of all transactions in one batch.
inline constexpr std::size_t max_batch_bytes = std::size_t{512} << 10;

/// The largest size in bytes of a message of this kind. The kind is its index in peer_message.
[[nodiscard]] std::size_t max_peer_message_bytes(std::size_t kind);

[[nodiscard]] bytes encode(const peer_message&);
template <>
expected<peer_message, parse_refusal> decode<peer_message>(byte_view data);

/// The type of the frame in which a message travels: one more than the number of its kind, because
/// type 0 belongs to the connection itself.
template <class Kind>
[[nodiscard]] constexpr std::uint16_t frame_type_of() {
  return static_cast<std::uint16_t>(peer_message(Kind{}).index() + 1);
}
[[nodiscard]] inline std::uint16_t frame_type_of(const peer_message& message) {
  return static_cast<std::uint16_t>(message.index() + 1);
}
/// Whether a frame of this type carries a message about blobs. The consensus does not see those.
[[nodiscard]] constexpr bool is_about_blobs(std::uint16_t type) {
  return type >= frame_type_of<peer::seek>() && type <= frame_type_of<peer::part>();
}
/// The largest size in bytes of the payload of a frame of this type; nullopt for a type that no
/// message has.
[[nodiscard]] std::optional<std::uint32_t> max_frame_bytes(std::uint16_t type);
/// Decodes what a frame of this type has carried (security §3.5). A message of another kind than
/// the type announced is refused as `another_kind`.
[[nodiscard]] expected<peer_message, parse_refusal> decode_frame(std::uint16_t type,
                                                                 byte_view payload);

// Parts of messages that are also stored by themselves.
[[nodiscard]] bytes encode(const member_vote&);
template <>
expected<member_vote, parse_refusal> decode<member_vote>(byte_view data);
template <>
expected<member_vote, parse_refusal> decode_own<member_vote>(byte_view data);
[[nodiscard]] bytes encode(const certificate&);
template <>
expected<certificate, parse_refusal> decode<certificate>(byte_view data);
template <>
expected<certificate, parse_refusal> decode_own<certificate>(byte_view data);
[[nodiscard]] bytes encode(const epoch_proof&);
template <>
expected<epoch_proof, parse_refusal> decode<epoch_proof>(byte_view data);
template <>
expected<epoch_proof, parse_refusal> decode_own<epoch_proof>(byte_view data);

}  // namespace soma::inline codec
