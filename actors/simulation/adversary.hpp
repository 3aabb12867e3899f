// What Byzantine nodes do, as a sum of behaviours. Each of them runs an honest core. What the core
// wants to send passes through the adversary, which changes it, keeps it back or adds messages of
// its own. The adversary sees every message of the network, but signs only with the key of the node
// for which it speaks.
#pragma once

#include "actors/simulation/simulator.hpp"

namespace soma::simulation {

class adversary {
 public:
  explicit adversary(engine& owner);

  /// Learns of a message. It is called for every message that a node sends.
  void hear(const message_ptr& message);
  /// Sends what it makes of a message that the core of `n` wants to send to `to`.
  void send(node& n, node_set to, const message_ptr& message);
  /// Adds messages of its own; it is called from time to time.
  void act(node& n);

 private:
  // adversary.cpp: behaviours that change what is said, or to whom
  void withhold(node& n, node_set to, const message_ptr& message);
  void vote_for_all(node& n);
  void replay(node& n);
  void far_votes(node& n);
  [[nodiscard]] node_set twins_share(const node& n, node_set to);
  [[nodiscard]] member_vote vote(node& n, const vote_statement& statement);
  void tell(node& n, node_set to, peer_message message);
  [[nodiscard]] node_set some();
  void keep(const certificate& c);
  void keep(const block_ptr& b);

  // adversary_blocks.cpp: leaders with several blocks
  void equivocate(node& n, node_set to, const peer::proposal& own);
  void propose_oddly(node& n);
  [[nodiscard]] peer::proposal on_odd_parent(node& n, const block_header& like);
  [[nodiscard]] block_ptr variant(node& n, const identified_block& own, std::uint64_t which);
  [[nodiscard]] block_ptr finish(node& n, block_header draft, const block_header& parent,
                                 const state_ptr& state, std::vector<signed_transaction> payload,
                                 const signer_set& signers);
  [[nodiscard]] state_ptr state_after(const node& n, const block_id& parent) const;
  [[nodiscard]] const certificate* held(std::uint64_t epoch, view_number view, vote_kind kind,
                                        const block_id& block) const;

  // adversary_lies.cpp: messages that no honest node sends
  void forge(node& n);
  [[nodiscard]] peer_message forged_vote(node& n);
  [[nodiscard]] peer_message forged_certificate(node& n);
  [[nodiscard]] peer_message forged_message(node& n);
  [[nodiscard]] peer_message spoiled(const peer::response& r);
  void spoil_block(block_ptr& b);
  [[nodiscard]] certificate garbled(certificate c);

  engine& engine_;
  random_stream dice_;
  bool awake_;  // whether the plan has a Byzantine node
  std::deque<message_ptr> heard_;
  std::deque<block_ptr> blocks_;          // that were proposed: newest last, each once
  std::deque<certificate> certificates_;  // newest last, one a statement
};

}  // namespace soma::simulation
