// Proofs to bytes and back, by the rules of messages/codec/codec.hpp. Decoding shows that the bytes
// have the form of one proof. It does not show that the proof holds.
#pragma once

#include "messages/codec/codec.hpp"
#include "messages/values/proofs.hpp"

namespace soma::inline codec {

[[nodiscard]] bytes encode(const state_proof&);
template <>
expected<state_proof, parse_refusal> decode<state_proof>(byte_view data);
[[nodiscard]] bytes encode(const chunk_proof&);
template <>
expected<chunk_proof, parse_refusal> decode<chunk_proof>(byte_view data);
[[nodiscard]] bytes encode(const proven_row&);
template <>
expected<proven_row, parse_refusal> decode<proven_row>(byte_view data);

}  // namespace soma::inline codec
