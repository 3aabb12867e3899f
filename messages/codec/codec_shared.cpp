#include "messages/codec/codec_detail.hpp"

namespace soma::inline codec {

namespace fields {

void put(schema::WeightsManifest::Builder to, const weights_manifest& from) {
  to.setSizeBytes(from.size_bytes);
  to.setChunkBytes(from.chunk_bytes);
  to.setRoot(data_of(from.root));
  to.setIv(data_of(from.iv));
}

void take(reading& in, schema::WeightsManifest::Reader from, weights_manifest& to) {
  to.size_bytes = from.getSizeBytes();
  to.chunk_bytes = from.getChunkBytes();
  in.take(from.getRoot(), to.root);
  in.take(from.getIv(), to.iv);
}

void put(schema::ModelVersionRef::Builder to, const model_version_ref& from) {
  to.setModel(data_of(from.model));
  to.setVersion(from.version);
}

void take(reading& in, schema::ModelVersionRef::Reader from, model_version_ref& to) {
  in.take(from.getModel(), to.model);
  to.version = from.getVersion();
}

void put(schema::StakePool::Builder to, const stake_pool& from) {
  to.setStake(from.stake.value);
  to.setShares(from.shares);
  to.setOwnerShares(from.owner_shares);
  put_list([&](unsigned size) { return to.initUnbonding(size); }, from.unbonding, max_unbonding,
           [](auto batch, const unbonding_batch& value) {
             batch.setPayableIn(value.payable_in.value);
             batch.setAmount(value.amount.value);
             batch.setKept(value.kept.value);
           });
}

void take(reading& in, schema::StakePool::Reader from, stake_pool& to) {
  to.stake.value = from.getStake();
  to.shares = from.getShares();
  to.owner_shares = from.getOwnerShares();
  in.take_list(from.getUnbonding(), to.unbonding, max_unbonding,
               [](auto batch, unbonding_batch& value) {
                 value.payable_in.value = batch.getPayableIn();
                 value.amount.value = batch.getAmount();
                 value.kept.value = batch.getKept();
               });
}

void put(schema::SignedTransaction::Builder to, const signed_transaction& from) {
  SOMA_ASSERT(from.body.size() <= max_transaction_bytes, "a transaction within its limit");
  to.setBody(data_of(from.body));
  to.setSignature(data_of(from.by_sender));
}

void take(reading& in, schema::SignedTransaction::Reader from, signed_transaction& to) {
  in.refuse_if(from.getBody().size() == 0, parse_refusal::wrong_size);
  in.take(from.getBody(), to.body, max_transaction_bytes);
  in.take(from.getSignature(), to.by_sender);
}

}  // namespace fields

SOMA_CODEC_OF(signed_transaction, SignedTransaction, max_transaction_bytes + 1'024)

}  // namespace soma::inline codec
