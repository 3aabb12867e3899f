// Watches blocks and counts what a local network reports.
#pragma once

#include <map>
#include <memory>

#include "actors/localnet/localnet.hpp"
#include "actors/validator/validator_actor.hpp"

namespace soma::localnet {

struct block_counts {
  std::uint64_t height = 0, epoch = 0, epochs_ended = 0;
  localnet_counts targets;
  std::map<model_id, std::uint64_t> wins;
  std::map<model_id, shannons> model_paid;
  std::map<address, std::uint64_t> won;
  std::map<address, shannons> submitter_paid, bonds_lost, validator_paid;
};

/// The owner of the world reads the counts, too, on the one thread of the world.
validator::block_watcher_actor::behavior_type block_counter(
    validator::block_watcher_actor::pointer self, std::shared_ptr<block_counts> counts);

}  // namespace soma::localnet
