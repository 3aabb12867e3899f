// Runs the consensus core inside the validator's actor: it gives the core each event together with
// the time, and carries out the effects that the core returns. What must hold:
//   - The effects of one event are carried out in their order. Their results are given to the core
//     as events afterwards.
//   - A batch is durable before the core hears that it is. When the disk is full, the validator
//     votes for nothing until there is room; any other failure of the disk ends the validator.
#pragma once

#include <caf/typed_response_promise.hpp>
#include <map>

#include "actors/consensus/runner.hpp"
#include "actors/execution/ledger_position.hpp"
#include "actors/validator/alarm_clock.hpp"
#include "actors/validator/block_executor.hpp"
#include "actors/validator/ed25519_ports.hpp"
#include "actors/validator/validator.hpp"
#include "actors/validator/validator_parts.hpp"

namespace soma::validator {

class agreement_driver final : public std::enable_shared_from_this<agreement_driver>,
                               private consensus::effect_ports {
 public:
  /// `parts`, `executor` and `payload` belong to the same validator. No block has been committed
  /// since the executor read the ledger.
  agreement_driver(validator_actor::pointer self, validator_parts& parts,
                   const validator_ports& ports, const validator_options& options,
                   const crypto::key_pair& key, const soma::genesis& genesis,
                   std::shared_ptr<block_executor> executor,
                   const consensus::payload_source& payload);

  void start();
  /// Tells the core that the mempool holds transactions to propose.
  void payload_waiting();
  [[nodiscard]] caf::typed_response_promise<message<schema::Ack>> take(
      const message<schema::FromPeer>& from);
  void send_to_peers(const peer_message& message,
                     const std::vector<consensus::peer_number>& to = {});
  void blame(consensus::peer_number peer, const std::string& why);
  /// Calls `batch_is_due` after `ms` milliseconds. Does nothing while an earlier call still waits.
  void gossip_in(std::uint64_t ms);

  [[nodiscard]] const consensus::simplex& core() const { return runner_->core(); }
  [[nodiscard]] std::size_t peers() const { return peers_.size(); }
  [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }

 private:
  using ack = caf::typed_response_promise<message<schema::Ack>>;
  enum : std::size_t {
    gossip_timer = consensus::timer_kinds,
    retry_timer,
    number_of_timers,
  };
  struct waiting {
    consensus::event event;
    std::optional<ack> taken;
  };

  void recall(const soma::genesis& genesis, const validator_options& options,
              const consensus::payload_source& payload);
  void on_wake(std::uint64_t now_ms, const std::vector<std::size_t>& due);
  void enqueue(consensus::event event, std::optional<ack> taken = std::nullopt);
  void retry();
  void end(const std::string& why);
  [[nodiscard]] bool take_sent(consensus::peer_number peer, schema::FromPeer::Sent::Reader sent,
                               const std::optional<ack>& taken);

  void apply(consensus::persist wanted) override;
  void apply(consensus::send wanted) override;
  void apply(consensus::set_timer wanted) override;
  void apply(consensus::execute wanted) override;
  void apply(consensus::commit wanted) override;
  void apply(consensus::base_moved wanted) override;
  void apply(consensus::report wanted) override;
  void apply(consensus::blame wanted) override;
  void apply(consensus::alarm wanted) override;

  validator_actor::pointer self_;
  validator_parts& parts_;
  validator_ports ports_;
  key_signer signer_;
  vote_checker checker_;
  execution::ledger_archive archive_;
  std::shared_ptr<block_executor> executor_;
  std::unique_ptr<consensus::runner> runner_;
  std::shared_ptr<alarm_clock> clock_;
  std::uint64_t now_ms_ = 0;
  std::deque<waiting> events_;  // events that wait for the clock's answer with the time
  bool payload_announced_ = false;
  bool gossip_set_ = false;
  bool is_full_ = false;
  bool is_committing_ = false;
  std::map<consensus::peer_number, public_key> peers_;
};

}  // namespace soma::validator
