// A validator's snapshots for others: lets one be written at the base of each epoch, one at a time,
// and answers who asks. What must hold: a disk that fails here costs others a snapshot and the
// operator a line, never the validator anything.
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
  /// `parts` outlives the actor's work.
  snapshot_keeper(validator_actor::pointer self, validator_parts& parts,
                  const validator_ports& ports);

  /// The ledger has just been closed at the end of an epoch; `tree` is of its rows.
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
