// What the header of a typed actor interface needs: CAF's typed actors and our messages as their
// vocabulary.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
//
#include <caf/stateful_actor.hpp>

#include "actors/interface/message_inspection.hpp"
#include "messages/wire/role_messages.hpp"
