#include "messages/values/votes.hpp"

namespace soma::inline values {

void apply(voting_record& record, const record_batch& batch) {
  if (batch.new_epoch) {
    record.epoch = *batch.new_epoch;
    record.votes.clear();
    record.proposed.clear();
    record.certificates.clear();
    record.blocks.clear();
  }
  const auto old = [&](view_number view) { return view <= batch.prune_to; };
  std::erase_if(record.votes, [&](const auto& entry) { return old(entry.first.first); });
  std::erase_if(record.proposed, [&](const auto& entry) { return old(entry.first); });
  std::erase_if(record.certificates, [&](const auto& entry) { return old(entry.first.first); });
  std::erase_if(record.blocks,
                [&](const auto& entry) { return old(entry.second->block.header.view); });
  if (batch.votes_from) record.votes_from = *batch.votes_from;
  for (const auto& vote : batch.votes) record.votes[{vote.view, vote.kind}] = vote.block;
  for (const auto& [view, block] : batch.proposed) record.proposed[view] = block;
  for (const auto& proof : batch.certificates) {
    record.certificates[{proof.statement.view, proof.statement.kind}] = proof;
  }
  for (const auto& block : batch.blocks) record.blocks[block->id] = block;
}

}  // namespace soma::inline values
