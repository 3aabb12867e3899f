// Where blocking work runs: scoring, training, anything that would hold up a scheduler thread. A
// role asks and goes on; the reply comes when the work is done, or an error when it threw. One
// actor runs one piece of work at a time. In production each is a thread of its own; in a world all
// of them are joined at quiet moments, in order (world.hpp).
#pragma once

#include <functional>
#include <memory>

#include "actors/interface/actor_interface.hpp"

namespace soma::background {

/// Work that never leaves the process. It owns what it touches; what it computes is read after the
/// reply came.
using job = std::shared_ptr<std::function<void()>>;

using background_actor = caf::typed_actor<caf::replies_to<job>::with<message<schema::Ack>>>;

[[nodiscard]] inline job make_job(std::function<void()> work) {
  return std::make_shared<std::function<void()>>(std::move(work));
}

}  // namespace soma::background

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(soma::background::job)
