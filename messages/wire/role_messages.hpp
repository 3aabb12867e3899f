// The messages between roles as types, and the size limits of those that may be larger than usual.
#pragma once

#include "messages/schema/blob_store.capnp.h"
#include "messages/schema/clock.capnp.h"
#include "messages/schema/global_model.capnp.h"
#include "messages/schema/peers.capnp.h"
#include "messages/schema/public_answers.capnp.h"
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

// A registry of tens of thousands of models travels as a whole when a role starts or no longer
// knows its version.
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
// A text to be measured is a whole file.
template <>
inline constexpr std::size_t max_message_bytes<schema::Evaluate> = (std::size_t{64} << 20) + 4096;
// The distributions of a whole context: at most 65,536 positions of 256 numbers.
template <>
inline constexpr std::size_t max_message_bytes<schema::PredictReport> = (std::size_t{64} << 20) +
                                                                        4096;

}  // namespace soma::inline wire
