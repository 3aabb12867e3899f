// A validator's snapshots for others: lets one be written at the base of each epoch, one at a time,
// and answers who asks. What must hold: a disk that fails here costs others a snapshot and the
// operator a line, never the validator anything.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/rules/state_tree.hpp"
#include "actors/validator/state_server.hpp"
#include "actors/validator/validator.hpp"

namespace soma::actors {

class snapshot_keeper : public std::enable_shared_from_this<snapshot_keeper> {
 public:
  /// `tell` reaches the operator for as long as this lives.
  snapshot_keeper(validator_actor::pointer self, const validator_ports& ports,
                  std::function<void(const std::string&)> tell);

  /// The ledger has just been closed at the end of an epoch; `tree` is of its rows.
  void epoch_begins(const rules::state_tree& tree, std::uint64_t now_ms);
  [[nodiscard]] std::optional<peer_message> answer(std::uint32_t peer, const peer::ask_state& asked,
                                                   std::uint64_t now_ms);
  void peer_gone(std::uint32_t peer) { server_.peer_gone(peer); }

 private:
  void failed(const std::string& why);

  validator_actor::pointer self_;
  std::shared_ptr<storage::ledger_store> ledger_;
  std::filesystem::path folder_;
  background_actor writer_;
  std::function<void(const std::string&)> tell_;
  state_server server_;
  bool is_writing_ = false;
};

}  // namespace soma::actors
