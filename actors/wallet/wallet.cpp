#include "actors/wallet/wallet.hpp"

namespace soma::wallet {

transaction make_transaction(const chain_id& chain, const public_key& sender, std::uint64_t nonce,
                             epoch_number expiry, transaction_kind kind) {
  SOMA_ASSERT(!chain.is_zero(), "a transaction is for one chain");
  SOMA_ASSERT(sender != public_key{}, "a transaction has a sender");
  SOMA_ASSERT(nonce != UINT64_MAX, "an account that has a nonce left");
  return {chain, sender, nonce, expiry, std::move(kind)};
}

own_transaction make_signed_transaction(const crypto::key_pair& key, const chain_id& chain,
                                        std::uint64_t nonce, epoch_number expiry,
                                        transaction_kind kind) {
  own_transaction made;
  made.content = make_transaction(chain, key.public_half(), nonce, expiry, std::move(kind));
  made.sent = signing::sign_transaction(key, made.content);
  made.id = signing::id_of(made.sent);
  SOMA_ASSERT(made.sent.body.size() <= max_transaction_bytes, "a transaction within its limit");
  return made;
}

own_transaction wallet::sign(transaction_kind kind, epoch_number expiry) {
  SOMA_ASSERT(knows_nonce(), "a wallet that was told the account's nonce");
  auto made = make_signed_transaction(key_, chain_, *next_nonce_, expiry, std::move(kind));
  ++*next_nonce_;
  return made;
}

message<schema::SubmitTransaction> offer(const signed_transaction& transaction) {
  return message<schema::SubmitTransaction>::build([&](auto out) {
    out.setBody(data_of(transaction.body));
    out.setSignature(data_of(byte_view(transaction.by_sender)));
  });
}

}  // namespace soma::wallet
