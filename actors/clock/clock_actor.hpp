// Time as a role: the only way an actor learns the time or waits. A world answers with virtual
// time.
#pragma once

#include <cstdint>

#include "actors/interface/actor_interface.hpp"

namespace soma::clock {

/// Wait{ms} is answered after that many milliseconds with the Unix time of that moment; 0 asks for
/// the time now. The second clause is the clock's own alarm: a ticket it sends to itself.
using clock_actor =
    caf::typed_actor<caf::replies_to<message<schema::Wait>>::with<message<schema::Time>>,
                     caf::reacts_to<std::uint64_t>>;

}  // namespace soma::clock
