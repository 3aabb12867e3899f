// The messages between roles as types, with the limits of those that carry more than the usual.
#pragma once

#include "messages/schema/blob_store.capnp.h"
#include "messages/schema/clock.capnp.h"
#include "messages/schema/global_model.capnp.h"
#include "messages/schema/peers.capnp.h"
#include "messages/schema/refusal.capnp.h"
#include "messages/schema/registry.capnp.h"
#include "messages/schema/router.capnp.h"
#include "messages/schema/scorer.capnp.h"
#include "messages/schema/submitter.capnp.h"
#include "messages/schema/supervisor.capnp.h"
#include "messages/schema/target_generator.capnp.h"
#include "messages/schema/trainer.capnp.h"
#include "messages/schema/validator.capnp.h"
#include "messages/wire/message.hpp"

namespace soma::inline wire {

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

}  // namespace soma::inline wire
