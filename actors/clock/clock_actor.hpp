// The clock as a role: actors learn the time and wait only through it. In a simulated network it
// answers with virtual time.
#pragma once

#include <cstdint>

#include "actors/interface/actor_interface.hpp"

namespace soma::clock {

/// Wait{ms} is answered after so many milliseconds with the Unix time of that moment; Wait{0} asks
/// for the present time. The second message is the clock's own alarm: a ticket that it sends to
/// itself.
using clock_actor =
    caf::typed_actor<caf::replies_to<message<schema::Wait>>::with<message<schema::Time>>,
                     caf::reacts_to<std::uint64_t>>;

}  // namespace soma::clock
