// To be included by the header of every typed actor interface: CAF's typed actors and the messages
// between roles.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
// The next header needs the ones above and does not include them.
#include <caf/stateful_actor.hpp>

#include "actors/interface/message_inspection.hpp"
#include "messages/wire/role_messages.hpp"
