// Keeps the ledger snapshots that a validator offers to late validators: it has one written at the
// start of each epoch, one at a time, and answers the peers that ask for pieces. What must hold: a
// disk failure here never stops the validator. The snapshot is missing, and the operator gets one
// line about it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "actors/state_sync/state_server.hpp"
#include "actors/state_tree/state_tree.hpp"
#include "actors/validator/validator.hpp"
#include "actors/validator/validator_parts.hpp"

namespace soma::validator {

class snapshot_keeper : public std::enable_shared_from_this<snapshot_keeper> {
 public:
  /// `parts` must outlive every answer that the keeper waits for.
  snapshot_keeper(validator_actor::pointer self, validator_parts& parts,
                  const validator_ports& ports);

  /// To be called when the block that closes an epoch has just been committed. `tree` is the state
  /// tree over the ledger's rows.
  void epoch_begins(const state_tree::tree& tree, std::uint64_t now_ms);
  [[nodiscard]] std::optional<peer_message> answer(std::uint32_t peer, const peer::ask_state& asked,
                                                   std::uint64_t now_ms);
  void peer_gone(std::uint32_t peer) { server_.peer_gone(peer); }

 private:
  void failed(const std::string& why);

  validator_actor::pointer self_;
  validator_parts& parts_;
  std::shared_ptr<tables::ledger_store> ledger_;
  std::filesystem::path folder_;
  background::background_actor writer_;
  state_sync::state_server server_;
  bool is_writing_ = false;
};

}  // namespace soma::validator
