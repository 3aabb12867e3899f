#include "actors/localnet/block_counter.hpp"

#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"

namespace soma::localnet {
namespace {

void count(block_counts& counts, const event& what) {
  auto& targets = counts.targets;
  switch (what.kind) {
    case event_kind::target_opened:
      ++targets.opened;
      break;
    case event_kind::target_filled:
      ++targets.filled;
      break;
    case event_kind::data_revealed:
      ++targets.revealed;
      break;
    case event_kind::target_expired:
      ++targets.expired;
      break;
    case event_kind::target_slashed:
    case event_kind::reveal_missed:
      ++targets.slashed;
      break;
    case event_kind::target_voided:
      ++targets.voided;
      break;
    case event_kind::target_settled:
      ++targets.settled;
      ++counts.wins[what.model.model];
      ++counts.won[what.account];
      break;
    case event_kind::model_paid:
      counts.model_paid[what.model.model].value += what.amount.value;
      break;
    case event_kind::submitter_paid:
      counts.submitter_paid[what.account].value += what.amount.value;
      break;
    case event_kind::validator_paid:
      counts.validator_paid[what.account].value += what.amount.value;
      break;
    case event_kind::epoch_ended:
      ++counts.epochs_ended;
      break;
    default:
      break;
  }
  // A submission that is slashed or not revealed, or whose data was unavailable, costs its whole
  // bond, which is burned or goes to the voters.
  const bool is_forfeit = what.kind == event_kind::target_voided &&
                          what.detail == static_cast<std::uint64_t>(void_reason::unavailable);
  if (what.kind == event_kind::target_slashed || what.kind == event_kind::reveal_missed ||
      is_forfeit) {
    counts.bonds_lost[what.account].value += what.amount.value;
  }
}

}  // namespace

validator::block_watcher_actor::behavior_type block_counter(validator::block_watcher_actor::pointer,
                                                            std::shared_ptr<block_counts> counts) {
  return {[counts](const message<schema::BlockNotice>& notice) {
    counts->height = notice.root().getHeight();
    counts->epoch = notice.root().getEpoch();
    for (const auto& item : notice.root().getEvents()) {
      if (const auto what = decode<event>(view_of(item))) count(*counts, *what);
    }
  }};
}

}  // namespace soma::localnet
