#include "actors/wallet/wallet.hpp"

namespace soma::actors {

signed_transaction wallet::sign(transaction_kind kind, epoch_number expiry) {
  transaction out;
  out.chain = chain_;
  out.sender = key_.public_half();
  out.nonce = nonce_++;
  out.expiry = expiry;
  out.kind = std::move(kind);
  return crypto::sign_transaction(key_, out);
}

message<schema::SubmitTransaction> offer(const signed_transaction& transaction) {
  return message<schema::SubmitTransaction>::build([&](auto out) {
    out.setBody(data_of(transaction.body));
    out.setSignature(data_of(byte_view(transaction.by_sender)));
  });
}

}  // namespace soma::actors
