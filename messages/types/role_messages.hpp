// The messages between roles as types, with the limits of those that carry more than the usual.
#pragma once

#include "messages/schema/blobs.capnp.h"
#include "messages/schema/peers.capnp.h"
#include "messages/schema/roles.capnp.h"
#include "messages/schema/supervision.capnp.h"
#include "messages/types/message.hpp"

namespace soma {

// A registry of tens of thousands of models travels whole when a role starts or has lost its place.
template <>
inline constexpr std::size_t max_message_bytes<schema::RegistryDelta> = std::size_t{1} << 30;
template <>
inline constexpr std::size_t max_message_bytes<schema::Models> = std::size_t{1} << 30;
template <>
inline constexpr std::size_t max_message_bytes<schema::DrawTargets> = std::size_t{1} << 30;
template <>
inline constexpr std::size_t max_message_bytes<schema::AssignRequest> = std::size_t{1} << 30;
template <>
inline constexpr std::size_t max_message_bytes<schema::Assignment> = std::size_t{1} << 30;
template <>
inline constexpr std::size_t max_message_bytes<schema::DrawnTargets> = std::size_t{1} << 30;
// Texts to be measured are files.
template <>
inline constexpr std::size_t max_message_bytes<schema::Evaluate> = (std::size_t{64} << 20) + 4096;
// Distributions of a whole context: 65,536 positions of 256 numbers at most.
template <>
inline constexpr std::size_t max_message_bytes<schema::PredictReport> = (std::size_t{64} << 20) +
                                                                        4096;

}  // namespace soma
