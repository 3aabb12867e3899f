#include "actors/validator/ed25519_ports.hpp"

#include "messages/codec/codec.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/signing/signing.hpp"

namespace soma::validator {

signature key_signer::sign_block(const block_id& block) {
  return signing::sign_block(key_, block);
}
signature key_signer::sign_vote(const vote_statement& vote) {
  return signing::sign_vote(key_, chain_, vote);
}

bool vote_checker::block_is_signed(const public_key& by, const block_id& block,
                                   const signature& s) {
  ++verified_;
  return signing::verify_block(by, block, s);
}

bool vote_checker::vote_is_signed(const public_key& by, const vote_statement& vote,
                                  const signature& s) {
  const auto name =
      crypto::tagged_hash("soma.checked-vote").add(by).add(encode(vote)).add(s).finish();
  if (good_.contains(name)) return true;
  ++verified_;
  if (!signing::verify_vote(by, chain_, vote, s)) return false;
  if (order_.size() >= most) {
    good_.erase(order_.front());
    order_.pop_front();
  }
  good_.insert(name);
  order_.push_back(name);
  return true;
}

}  // namespace soma::validator
