// What Byzantine processes do, by composition of behaviours. Each runs an honest core; what that
// wants to send passes through here, and now and then something of its own is added. It sees all
// that was ever sent, but signs with the keys of its own process alone.
#pragma once

#include "actors/simulation/simulator.hpp"

namespace soma::simulation {

class adversary {
 public:
  explicit adversary(engine& owner);

  /// Everything that anybody sends is heard.
  void hear(const message_ptr& message);
  /// Instead of sending.
  void send(node& n, node_set to, const message_ptr& message);
  /// Now and then.
  void act(node& n);

 private:
  // adversary.cpp: by what is said and to whom
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

  // adversary_blocks.cpp
  void equivocate(node& n, node_set to, const peer::proposal& own);
  void propose_oddly(node& n);
  [[nodiscard]] peer::proposal on_odd_parent(node& n, const block_header& like);
  [[nodiscard]] block_ptr variant(node& n, const identified_block& own, std::uint64_t which);
  [[nodiscard]] block_ptr finish(node& n, block_header draft, const block_header& parent,
                                 const state_ptr& state, std::vector<signed_transaction> payload,
                                 const signer_set& signers);
  [[nodiscard]] state_ptr state_after(const node& n, const block_id& parent) const;
  [[nodiscard]] const certificate* held(std::uint64_t epoch, std::uint64_t view, vote_kind kind,
                                        const block_id& block) const;

  // adversary_lies.cpp
  void forge(node& n);
  [[nodiscard]] peer_message forged_vote(node& n);
  [[nodiscard]] peer_message forged_certificate(node& n);
  [[nodiscard]] peer_message forged_message(node& n);
  [[nodiscard]] peer_message spoiled(const peer::response& r);
  void spoil_block(block_ptr& b);
  [[nodiscard]] certificate garbled(certificate c);

  engine& engine_;
  random_stream dice_;
  bool awake_;  // somebody is Byzantine
  std::deque<message_ptr> heard_;
  std::deque<block_ptr> blocks_;          // proposed, newest last, each once
  std::deque<certificate> certificates_;  // newest last, one for each statement
};

}  // namespace soma::simulation
