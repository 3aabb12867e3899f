// Runs blocking work, such as scoring and training, which would hold up a thread of the scheduler.
// A role sends a job and goes on; the reply comes when the work is done, or an error when it has
// thrown. One actor runs one piece of work at a time. In production each actor has a thread of its
// own. In a world the work runs at quiet moments, and its results come in order
// (localnet/world.hpp).
#pragma once

#include <functional>
#include <memory>

#include "actors/interface/actor_interface.hpp"

namespace soma::background {

/// A piece of work, which never leaves the process. It owns all that it uses. Its results are read
/// after the reply has come.
using job = std::shared_ptr<std::function<void()>>;

using background_actor = caf::typed_actor<caf::replies_to<job>::with<message<schema::Ack>>>;

[[nodiscard]] inline job make_job(std::function<void()> work) {
  return std::make_shared<std::function<void()>>(std::move(work));
}

}  // namespace soma::background

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(soma::background::job)
