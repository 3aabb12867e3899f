#include "messages/signing/signing.hpp"

#include <bit>

#include "messages/codec/codec.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/values/assert.hpp"

namespace soma::signing {
namespace {

hash256 target_hash(std::string_view tag, const hash256& entropy, std::uint64_t index) {
  return crypto::tagged_hash(tag).add(entropy).add_u64(index).finish();
}

hash256 block_statement(const block_id& block) {
  return crypto::hash("SX1/prop", block.view());
}

hash256 possession_statement(const chain_id& chain, const address& sender) {
  return crypto::tagged_hash("soma.pop").add(chain).add(sender).finish();
}

hash256 upload_statement(const chain_id& chain, const blob_id& blob, std::uint64_t size_bytes,
                         std::uint64_t expiry_ms) {
  crypto::tagged_hash all("soma.upload");
  return all.add(chain).add(blob).add_u64(size_bytes).add_u64(expiry_ms).finish();
}

transaction_id id_of_body(byte_view body) {
  return crypto::hash("soma.tx", body).as<transaction_tag>();
}

hash256 signed_vote(const chain_id& chain, const vote_statement& vote) {
  return crypto::tagged_hash("SX1/vote").add(chain).add(encode(vote)).finish();
}

/// The first 8 bytes, little endian.
template <class Tag>
std::uint64_t first_word(const id32<Tag>& id) {
  std::uint64_t word = 0;
  for (std::size_t i = 8; i-- > 0;) word = word << 8 | id.value[i];
  return word;
}

}  // namespace

chain_id chain_id_of(const genesis& genesis) {
  return crypto::hash("soma.chain", encode(genesis)).as<chain_tag>();
}

signed_transaction sign_transaction(const crypto::key_pair& key, const transaction& content) {
  SOMA_ASSERT(content.sender == key.public_half(), "a transaction signed by its sender");
  signed_transaction made;
  made.body = encode(content);
  SOMA_ASSERT(made.body.size() <= max_transaction_bytes, "a transaction within its limit");
  made.by_sender = key.sign(id_of_body(made.body).view());
  return made;
}

transaction_id id_of(const signed_transaction& sent) {
  return id_of_body(sent.body);
}

std::string_view to_text(tx_refusal refusal) {
  switch (refusal) {
    case tx_refusal::too_large:
      return "larger than a transaction may be";
    case tx_refusal::malformed:
      return "not a well-formed transaction";
    case tx_refusal::bad_key:
      return "the sender's key is not an acceptable key";
    case tx_refusal::bad_signature:
      return "the signature is not the sender's";
  }
  return "unknown refusal";
}

expected<transaction, tx_refusal> read_verified(const signed_transaction& sent) {
  if (sent.body.size() > max_transaction_bytes) return make_unexpected(tx_refusal::too_large);
  auto content = decode<transaction>(sent.body);
  if (!content) return make_unexpected(tx_refusal::malformed);
  if (!crypto::is_acceptable(content->sender)) return make_unexpected(tx_refusal::bad_key);
  return std::move(*content);
}

expected<transaction, tx_refusal> verify(const signed_transaction& sent) {
  auto content = read_verified(sent);
  if (content && !crypto::verify(content->sender, id_of(sent).view(), sent.by_sender)) {
    return make_unexpected(tx_refusal::bad_signature);
  }
  return content;
}

hash256 payload_root(std::span<const signed_transaction> payload,
                     const signer_set& parent_signers) {
  crypto::tagged_hash root("soma.payload");
  root.add(byte_view(parent_signers.layout()));
  for (const auto& transaction : payload) root.add(id_of(transaction));
  return root.finish();
}

hash256 committee_hash(std::span<const committee_seat> seats) {
  crypto::tagged_hash all("SX1/com");
  for (const auto& seat : seats) {
    all.add(seat.member).add(byte_view(seat.consensus_key)).add_u32(seat.power.value);
  }
  return all.finish();
}

signature sign_block(const crypto::key_pair& key, const block_id& block) {
  return key.sign(block_statement(block).view());
}

bool verify_block(const public_key& proposer, const block_id& block, const signature& by_proposer) {
  return crypto::verify(proposer, block_statement(block).view(), by_proposer);
}

signature sign_vote(const crypto::key_pair& key, const chain_id& chain,
                    const vote_statement& vote) {
  return key.sign(signed_vote(chain, vote).view());
}

bool verify_vote(const public_key& voter, const chain_id& chain, const vote_statement& vote,
                 const signature& by_voter) {
  return crypto::verify(voter, signed_vote(chain, vote).view(), by_voter);
}

model_id model_id_of(const transaction_id& commit) {
  return crypto::hash("soma.model", commit.view()).as<model_tag>();
}

block_id genesis_parent(const chain_id& chain) {
  return chain.as<block_tag>();
}

std::uint64_t scoring_seed_of(const target_id& target) {
  return first_word(target);
}

target_id target_id_of(const hash256& entropy, std::uint64_t index) {
  return target_hash("soma.target-id", entropy, index).as<target_tag>();
}

std::uint64_t target_seed(const hash256& entropy, std::uint64_t index) {
  return first_word(target_hash("soma.target", entropy, index));
}

hash256 layer_around(const hash256& inner) {
  return crypto::hash("soma.peel", inner.view());
}

hash256 entropy_after(const hash256& entropy, const hash256& peel) {
  return crypto::tagged_hash("soma.entropy").add(entropy).add(peel).finish();
}

hash256 onion_core(const crypto::key_pair& consensus, const chain_id& chain, std::uint64_t number) {
  const auto asked = crypto::tagged_hash("soma.onion").add(chain).add_u64(number).finish();
  return crypto::hash("soma.onion-core", byte_view(consensus.sign(asked.view())));
}

hash256 audit_seed_of(const hash256& entropy, const target_id& target) {
  return crypto::tagged_hash("soma.audit").add(entropy).add(target).finish();
}

hash256 audit_draw(const hash256& audit_seed, std::uint64_t draw) {
  return crypto::tagged_hash("soma.audit-seat").add(audit_seed).add_u64(draw).finish();
}

data_hash data_hash_of(byte_view data) {
  return crypto::hash("soma.blob-data", data).as<data_tag>();
}

weights_hash weights_hash_of(byte_view file) {
  return crypto::hash("soma.weights", file).as<weights_tag>();
}

hash256 data_commitment(const data_hash& data, const blob_id& blob, std::uint64_t size_bytes,
                        const hash256& salt, const address& sender) {
  return crypto::tagged_hash("soma.data")
      .add(data)
      .add(blob)
      .add_u64(size_bytes)
      .add(salt)
      .add(sender)
      .finish();
}

hash256 model_commitment(const weights_hash& weights, const cipher_key& key,
                         std::span<const float> embedding, const hash256& salt,
                         const address& owner) {
  crypto::tagged_hash commitment("soma.commit");
  commitment.add(weights).add(byte_view(key));
  for (const float value : embedding) commitment.add_u32(std::bit_cast<std::uint32_t>(value));
  return commitment.add(salt).add(owner).finish();
}

signature prove_possession(const crypto::key_pair& consensus, const chain_id& chain,
                           const address& sender) {
  return consensus.sign(possession_statement(chain, sender).view());
}

bool verify_possession(const public_key& consensus, const chain_id& chain, const address& sender,
                       const signature& proof) {
  return crypto::verify(consensus, possession_statement(chain, sender).view(), proof);
}

signature sign_upload(const crypto::key_pair& key, const chain_id& chain, const blob_id& blob,
                      std::uint64_t size_bytes, std::uint64_t expiry_ms) {
  return key.sign(upload_statement(chain, blob, size_bytes, expiry_ms).view());
}

bool verify_upload(const public_key& key, const chain_id& chain, const blob_id& blob,
                   std::uint64_t size_bytes, std::uint64_t expiry_ms, const signature& by_key) {
  return crypto::verify(key, upload_statement(chain, blob, size_bytes, expiry_ms).view(), by_key);
}

}  // namespace soma::signing
