#include "actors/blob_keeper/blob_keeper.hpp"

#include "actors/blob_keeper/keeper.hpp"
#include "actors/interface/describe_error.hpp"

namespace soma::blob_keeper {

blob_keeper_actor::behavior_type blob_keeper(
    blob_keeper_actor::stateful_pointer<blob_keeper_state> self, blob_keeper_ports ports,
    blob_keeper_options options) {
  name_exceptions(*self);
  SOMA_ASSERT(ports.disk && ports.ledger && ports.ledger->initialised(), "a store and a ledger");
  const auto work = std::make_shared<keeper>(self, std::move(ports), options);
  self->state.work = work;
  work->start();
  const auto at = work.get();  // self->state.work keeps it alive
  return {[at](const message<schema::FetchBlobs>& wanted) { return at->fetch(wanted.root()); },
          [at](const message<schema::FromPeer>& from) {
            at->take(from.root());
            return message<schema::Ack>{};
          },
          [at](const message<schema::BlockNotice>& notice) { at->block_done(notice.root()); }};
}

}  // namespace soma::blob_keeper
