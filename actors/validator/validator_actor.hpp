// The interface of the validator, which agrees with its peers on blocks, executes them, audits
// revealed submissions and votes.
#pragma once

#include "actors/interface/actor_interface.hpp"

namespace soma::validator {

using validator_actor = caf::typed_actor<
    caf::replies_to<message<schema::SubmitTransaction>>::with<message<schema::SubmitReceipt>>,
    caf::replies_to<message<schema::GetChain>>::with<message<schema::ChainStatus>>,
    caf::replies_to<message<schema::GetRow>>::with<message<schema::Row>>,
    caf::replies_to<message<schema::GetOpenTargets>>::with<message<schema::OpenTargets>>,
    caf::replies_to<message<schema::GetRows>>::with<message<schema::Rows>>,
    caf::replies_to<message<schema::GetTransaction>>::with<message<schema::TransactionStatus>>,
    caf::replies_to<message<schema::GetGenesis>>::with<message<schema::GenesisBytes>>,
    caf::replies_to<message<schema::GetHolders>>::with<message<schema::Holders>>,
    caf::replies_to<message<schema::GetProvenRows>>::with<message<schema::ProvenRows>>,
    caf::replies_to<message<schema::GetEpochProofs>>::with<message<schema::EpochProofs>>,
    caf::replies_to<message<schema::GetBlocks>>::with<message<schema::FinalBlocks>>,
    caf::replies_to<message<schema::GetFinality>>::with<message<schema::FinalityAnswer>>,
    caf::replies_to<message<schema::GetEvents>>::with<message<schema::EventPage>>,
    caf::replies_to<message<schema::GetExplanation>>::with<message<schema::Explanation>>,
    caf::replies_to<message<schema::FromPeer>>::with<message<schema::Ack>>>;

/// A role that gets a notice of each block once the block is durable.
using block_watcher_actor = caf::typed_actor<caf::reacts_to<message<schema::BlockNotice>>>;

}  // namespace soma::validator
