// Runs the agreement core among actors: tells it what happens, with the time, and carries out what
// it wants. What must hold:
//   - The effects of one event are carried out in their order; what comes of them is told after.
//   - A batch is durable before the core hears that it is; a disk that is full silences the
//     validator until there is room, any other trouble of a disk ends it.
//   - Each block is told to `on_block` once, in order, after it is in the ledger.
#pragma once

#include <caf/typed_response_promise.hpp>
#include <map>

#include "actors/consensus/simplex.hpp"
#include "actors/validator/alarm_clock.hpp"
#include "actors/validator/block_executor.hpp"
#include "actors/validator/checking.hpp"
#include "actors/validator/ledger_position.hpp"
#include "actors/validator/validator.hpp"

namespace soma::actors {

struct agreement_hooks {
  block_executor::on_block on_block;
  std::function<void(tx::report_equivocation)> on_evidence;
  std::function<void(consensus::peer_number, const peer::transactions&)> on_transactions;
  std::function<void(consensus::peer_number, const peer::ask_state&)> on_ask_state;
  std::function<void(consensus::peer_number)> on_gone;
  std::function<void()> on_gossip_time;  // see gossip_in
};

class agreement_driver : public std::enable_shared_from_this<agreement_driver> {
 public:
  /// `executor` and `payload` belong to the same validator. The ledger is as the executor found it.
  agreement_driver(validator_actor::pointer self, const validator_ports& ports,
                   const validator_options& options, const crypto::key_pair& key,
                   const genesis& born, std::shared_ptr<block_executor> executor,
                   const consensus::payload_source& payload, agreement_hooks hooks);

  void start();
  /// There is something to propose.
  void payload_waiting();
  [[nodiscard]] caf::typed_response_promise<message<schema::Ack>> take(
      const message<schema::FromPeer>& from);
  void tell_peers(const peer_message& what, const std::vector<consensus::peer_number>& to = {});
  /// `on_gossip_time` follows after this long, unless it was asked for and has not come yet.
  void gossip_in(std::uint64_t ms);
  void tell_operator(const std::string& line) const;

  [[nodiscard]] const consensus::simplex& core() const { return *core_; }
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
    consensus::event what;
    std::optional<ack> taken;
  };

  void recall(const genesis& born, const validator_options& options,
              const consensus::payload_source& payload);
  void on_wake(std::uint64_t now_ms, const std::vector<std::size_t>& due);
  void enqueue(consensus::event what, std::optional<ack> taken = std::nullopt);
  void run(consensus::event first);
  void retry();
  void end(const std::string& why);
  [[nodiscard]] bool take_body(consensus::peer_number peer, byte_view body,
                               const std::optional<ack>& taken);
  void blame(consensus::peer_number peer, const std::string& why);

  void carry_out(consensus::persist& wanted);
  void carry_out(consensus::send& wanted);
  void carry_out(consensus::set_timer& wanted);
  void carry_out(consensus::execute& wanted);
  void carry_out(consensus::commit& wanted);
  void carry_out(consensus::base_moved& wanted);
  void carry_out(consensus::report& wanted);
  void carry_out(consensus::blame& wanted);
  void carry_out(consensus::alarm& wanted);

  validator_actor::pointer self_;
  validator_ports ports_;
  key_signer signer_;
  vote_checker checker_;
  ledger_archive archive_;
  std::shared_ptr<block_executor> executor_;
  agreement_hooks hooks_;
  std::unique_ptr<consensus::simplex> core_;
  std::shared_ptr<alarm_clock> clock_;
  std::uint64_t now_ms_ = 0;
  std::deque<waiting> events_;            // for which the time is asked
  std::deque<consensus::event> answers_;  // to effects of the event that is being dealt with
  bool running_ = false;
  bool ended_ = false;
  bool payload_told_ = false;
  bool gossip_set_ = false;
  bool is_full_ = false;
  bool is_committing_ = false;
  std::map<consensus::peer_number, public_key> peers_;
};

}  // namespace soma::actors
