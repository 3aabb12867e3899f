// The template world::ask, apart from world.hpp, so that world.hpp shows the interface only.
#pragma once

#include <caf/event_based_actor.hpp>
#include <optional>

namespace soma::localnet {

template <class Reply, class Handle, class Request>
message<Reply> world::ask(const Handle& role, const message<Request>& request) {
  auto answer = std::make_shared<std::optional<message<Reply>>>();
  auto failure = std::make_shared<std::optional<caf::error>>();
  system_.spawn([=](caf::event_based_actor* self) {
    self->request(role, caf::infinite, request)
        .then([=](const message<Reply>& reply) { *answer = reply; },
              [=](caf::error& why) { *failure = why; });
  });
  run_until([=] { return answer->has_value() || failure->has_value(); }, [] { return false; },
            now_ms() + 3'600'000);
  if (!answer->has_value()) fail(failure->has_value() ? **failure : caf::error{});
  return std::move(**answer);
}

}  // namespace soma::localnet
