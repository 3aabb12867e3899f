// Agreement of one: a single validator orders blocks. One candidate at a time: take a payload, have
// it executed, sign, have it stored, announce, go on. A block is made when transactions wait or the
// epoch is over, no sooner than the interval after the last one. A candidate that can't be executed
// is taken up again after a pause that doubles.
#pragma once

#include "actors/consensus/solo_events.hpp"

namespace soma::consensus::solo {

struct solo_options {
  std::uint64_t block_interval_ms = 100;
  std::uint64_t retry_ms = 250;
  std::uint64_t max_retry_ms = 30'000;
};

class solo_agreement final : public agreement {
 public:
  /// `key` and `payload` outlive the core.
  solo_agreement(const chain_tip& tip, signer& key, const payload_source& payload,
                 solo_options options = {});

  [[nodiscard]] std::vector<effect> step(const event& e, std::uint64_t now_ms) override;
  [[nodiscard]] const chain_tip& tip() const override { return tip_; }
  [[nodiscard]] bool running() const override { return stage_ != stage::silent; }

 private:
  enum class stage : std::uint8_t { fresh, idle, executing, storing, silent };

  void propose_or_wait(std::uint64_t now_ms, std::vector<effect>& out);
  void propose(std::uint64_t now_ms, std::vector<effect>& out);
  void on_executed(const executed& e, std::vector<effect>& out);
  void on_failed(std::uint64_t now_ms, std::vector<effect>& out);
  void on_stored(std::uint64_t now_ms, std::vector<effect>& out);

  chain_tip tip_;
  signer& key_;
  const payload_source& payload_;
  solo_options options_;
  stage stage_ = stage::fresh;
  std::uint64_t ticket_ = 0;
  std::uint64_t not_before_ms_ = 0;
  std::uint64_t retry_ms_ = 0;
  block candidate_;
  block_id candidate_id_;
  executed result_;
};

}  // namespace soma::consensus::solo
