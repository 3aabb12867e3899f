// What validators say to each other, to bytes and back, by the rules of messages/types/codec.hpp.
// It stands here because whoever takes a block in names it by its hash. What must hold:
//   - Decoding says that bytes have the form of one message, never that anything in it is signed,
//     fits together or is worth keeping.
//   - The size of a message is checked against the limit of its kind before any value is made of
//     it, and every list against the limits of messages/types/agreement.hpp.
//   - The ids of blocks are computed here, never believed.
#pragma once

#include <cstddef>
#include <variant>

#include "messages/types/agreement.hpp"
#include "messages/types/codec.hpp"

namespace soma {

inline constexpr std::size_t peer_message_kinds = std::variant_size_v<peer_message>;
inline constexpr std::size_t max_committee_seats = 100;
inline constexpr std::size_t max_standstill_votes = 192;  // of 64 views
/// Signed bytes (payload_size) of all transactions in one batch.
inline constexpr std::size_t max_batch_bytes = std::size_t{512} << 10;

/// The most bytes that a message of this kind may have; the kind is its index in peer_message.
[[nodiscard]] std::size_t max_peer_message_bytes(std::size_t kind);

[[nodiscard]] bytes encode(const peer_message&);
template <>
expected<peer_message, parse_refusal> decode<peer_message>(byte_view data);

// Parts that are kept alone.
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

}  // namespace soma
