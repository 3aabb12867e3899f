// What Byzantine processes do, by composition of behaviours. Each runs an honest core; what that
// wants to send passes through here, and now and then something of its own is added. It sees all
// that was ever sent, but signs with the keys of its own process alone.
#pragma once

#include "actors/world/agreement/engine.hpp"

namespace soma::agreement_world {

class adversary {
 public:
  explicit adversary(engine& w);

  /// Everything that anybody sends is heard.
  void hear(const message_ptr& what);
  /// Instead of sending.
  void send(node& n, slot_set to, const message_ptr& what);
  /// Now and then.
  void act(node& n);

 private:
  void equivocate(node& n, slot_set to, const peer::proposal& own);
  void propose_oddly(node& n);
  void vote_for_all(node& n);
  void forge(node& n);
  void replay(node& n);
  void far_votes(node& n);
  [[nodiscard]] message_ptr spoiled(node& n, const peer::response& r);
  [[nodiscard]] message_ptr forgery(node& n);

  [[nodiscard]] block_ptr build(node& n, const block_header& like, const block_ptr& parent,
                                std::uint64_t time_ms, std::vector<signed_transaction> payload,
                                const signer_set& signers);
  [[nodiscard]] member_vote vote(node& n, const vote_statement& what);
  void tell(node& n, slot_set to, peer_message what);
  [[nodiscard]] slot_set some(node& n);
  [[nodiscard]] const certificate* held(std::uint64_t epoch, std::uint64_t view, vote_kind kind,
                                        const block_id& block) const;

  engine& w_;
  random_stream dice_;
  std::deque<message_ptr> heard_;
  std::deque<block_ptr> blocks_;          // proposed, newest last, each once
  std::deque<certificate> certificates_;  // newest last, each once
};

}  // namespace soma::agreement_world
