#include "actors/scorer/joining_worker.hpp"

#include <chrono>

#include "messages/wire/refusals.hpp"

namespace soma::scorer {
namespace {

using joining_pointer = scorer_worker_actor::stateful_pointer<scorer_worker_state>;

void join(joining_pointer self, const std::shared_ptr<const pool_membership>& membership) {
  const auto wait_and_repeat = [self, membership] {
    self->request(membership->clock, caf::infinite, message<schema::Wait>::build([&](auto out) {
                    out.setMs(membership->say_every_ms);
                  }))
        .then([self, membership](const message<schema::Time>&) { join(self, membership); });
  };
  self->request(membership->pool, std::chrono::milliseconds(pool_patience_ms),
                message<schema::JoinPool>::build([&](auto out) {
                  out.setName(membership->name);
                  out.setCores(1);
                }))
      .then(
          [self, wait_and_repeat](const message<schema::Ack>& reply) {
            if (!is_refused(reply.root().getRefusal())) return wait_and_repeat();
            self->quit(caf::make_error(
                caf::sec::runtime_error,
                "the pool refuses the worker: " + why_of(reply.root().getRefusal())));
          },
          [self](caf::error& why) { self->quit(std::move(why)); });
}

}  // namespace

scorer_worker_actor::behavior_type joining_worker(joining_pointer self, scorer_worker_ports ports,
                                                  pool_membership membership) {
  join(self, std::make_shared<const pool_membership>(std::move(membership)));
  return scorer_worker(self, std::move(ports));
}

}  // namespace soma::scorer
