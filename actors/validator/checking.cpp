#include "actors/validator/checking.hpp"

#include "messages/crypto/hash.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/codec.hpp"

namespace soma::actors {

signature key_signer::sign_block(const block_id& block) {
  return crypto::sign_block(key_, block);
}
signature key_signer::sign_vote(const vote_statement& vote) {
  return crypto::sign_vote(key_, chain_, vote);
}

bool vote_checker::block_is_signed(const public_key& by, const block_id& block,
                                   const signature& s) {
  ++verified_;
  return crypto::verify_block(by, block, s);
}

bool vote_checker::vote_is_signed(const public_key& by, const vote_statement& vote,
                                  const signature& s) {
  const auto name =
      crypto::tagged_hash("soma.checked-vote").add(by).add(encode(vote)).add(s).finish();
  if (good_.contains(name)) return true;
  ++verified_;
  if (!crypto::verify_vote(by, chain_, vote, s)) return false;
  if (order_.size() >= most) {
    good_.erase(order_.front());
    order_.pop_front();
  }
  good_.insert(name);
  order_.push_back(name);
  return true;
}

}  // namespace soma::actors
