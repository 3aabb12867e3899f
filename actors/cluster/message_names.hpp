// The name of each message between roles, as processes of one operator send it. A message with a
// new name is a new message, which old processes refuse. CAF generates some dozens of functions for
// each type, so the types are spread over several sources, which compile in parallel.
#pragma once

#include <caf/actor_system_config.hpp>

#include "actors/interface/message_inspection.hpp"
#include "messages/wire/role_messages.hpp"

namespace soma::cluster {

/// Blocks, rows, transactions, and the messages of peers.
void add_network_messages(caf::actor_system_config& config);
/// The registry, the router and the target generator.
void add_model_messages(caf::actor_system_config& config);
/// Scorers and their pool.
void add_scoring_messages(caf::actor_system_config& config);
/// Blobs, training, submitting, questions to the global model, health.
void add_work_messages(caf::actor_system_config& config);

template <class T>
void add_message(caf::actor_system_config& config, const char* name) {
  config.add_message_type<message<T>>(name);
}

}  // namespace soma::cluster
