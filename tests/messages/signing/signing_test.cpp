// What is hashed and signed: each bit counts, and each refusal has its name.
#include "messages/signing/signing.hpp"

#include <doctest/doctest.h>

#include "messages/codec/codec.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/crypto/random.hpp"
#include "tests/messages/codec/samples.hpp"

namespace soma::signing {

using namespace soma::crypto;

// Protocol §1.5.
TEST_CASE("a transaction is verified as it was signed, and refused with any bit changed") {
  seeded_random random(3);
  const auto key = key_pair::generate(random);
  for (const auto seed : test::seeds(test::transaction_kinds)) {
    CAPTURE(seed);
    auto content = test::sample<transaction>(seed);
    content.sender = key.public_half();
    const auto sent = sign_transaction(key, content);
    const auto verified = verify(sent);
    REQUIRE(verified);
    CHECK(*verified == content);
    CHECK(id_of(sent).value == hash("soma.tx", sent.body).value);
    for (std::size_t at = 0; at < sent.body.size(); ++at) {
      auto damaged = sent;
      damaged.body[at] ^= static_cast<std::uint8_t>(1 << at % 8);
      REQUIRE(!verify(damaged));
    }
  }
}

// Protocol §1.6.
TEST_CASE("a transaction is refused by name") {
  seeded_random random(4);
  const auto key = key_pair::generate(random);
  transaction content;
  content.sender = key.public_half();
  auto sent = sign_transaction(key, content);
  sent.by_sender[0] ^= 1;
  CHECK(verify(sent).error() == tx_refusal::bad_signature);
  sent.body = bytes(max_transaction_bytes + 1);
  CHECK(verify(sent).error() == tx_refusal::too_large);
  sent.body = bytes(max_transaction_bytes);
  CHECK(verify(sent).error() == tx_refusal::malformed);
  content.sender = {};
  sent.body = encode(content);
  CHECK(verify(sent).error() == tx_refusal::bad_key);
}

TEST_CASE(
    "a block's id and proof bind all of its header; the payload root the order of its "
    "transactions") {
  seeded_random random(5);
  const auto key = key_pair::generate(random);
  const auto header = test::sample<block_header>(5);
  const auto id = id_of(header);
  const auto by_proposer = sign_block(key, id);
  CHECK(verify_block(key.public_half(), id, by_proposer));
  const bytes layout = header_layout(header);
  for (std::size_t at = 0; at < layout.size(); ++at) {
    bytes changed = layout;
    changed[at] ^= 1;
    CHECK(!verify_block(key.public_half(), id_of(*decode<block_header>(changed)), by_proposer));
  }
  std::vector<signed_transaction> payload{test::sample<signed_transaction>(1),
                                          test::sample<signed_transaction>(2)};
  const auto root = payload_root(payload, {});
  signer_set first;
  first.add({0});
  CHECK(payload_root(payload, first) != root);
  std::swap(payload[0], payload[1]);
  CHECK(payload_root(payload, {}) != root);
  const auto chain = chain_id_of(test::sample<genesis>(1));
  const auto sender = address_of(key.public_half());
  const auto proof = prove_possession(key, chain, sender);
  CHECK(verify_possession(key.public_half(), chain, sender, proof));
  CHECK(!verify_possession(key.public_half(), chain, address{}, proof));
  CHECK(!verify_possession(key.public_half(), chain_id{}, sender, proof));
}

TEST_CASE("a reservation is signed for one key, chain, blob, size and time") {
  crypto::seeded_random random(8);
  const auto key = crypto::key_pair::generate(random), other = crypto::key_pair::generate(random);
  const chain_id chain{{1}};
  const blob_id blob{{2}};
  const auto by_key = sign_upload(key, chain, blob, 3, 4);
  const auto& half = key.public_half();
  CHECK(verify_upload(half, chain, blob, 3, 4, by_key));
  CHECK_FALSE(verify_upload(other.public_half(), chain, blob, 3, 4, by_key));
  CHECK_FALSE(verify_upload(half, {{9}}, blob, 3, 4, by_key));
  CHECK_FALSE(verify_upload(half, chain, {{9}}, 3, 4, by_key));
  CHECK_FALSE(verify_upload(half, chain, blob, 4, 4, by_key));
  CHECK_FALSE(verify_upload(half, chain, blob, 3, 3, by_key));
}

TEST_CASE("commitments bind each of their parts") {
  const auto base = data_commitment({}, {}, 5, {}, {});
  CHECK(base != data_commitment(data_hash_of(bytes{1}), {}, 5, {}, {}));
  CHECK(base != data_commitment({}, {}, 6, {}, {}));
  CHECK(base != data_commitment({}, {}, 5, sha256({}), {}));
  CHECK(base != data_commitment({}, {}, 5, {}, sha256({}).as<address_tag>()));
  CHECK(base != data_commitment({}, blob_id{{1}}, 5, {}, {}));
  const float embedding[] = {1.0f, 2.0f};
  const float other[] = {1.0f, -2.0f};
  CHECK(model_commitment({}, {}, embedding, {}, {}) != model_commitment({}, {}, other, {}, {}));
  CHECK(model_commitment({}, {}, embedding, {}, {}) !=
        model_commitment({}, {}, embedding, {}, address{{1}}));
  CHECK(target_id_of(hash256{{1}}, 0) != target_id_of(hash256{{1}}, 1));
  CHECK(layer_around({}) != hash256{});
  CHECK(entropy_after(hash256{{1}}, hash256{{2}}) != entropy_after(hash256{{2}}, hash256{{1}}));
  CHECK(target_seed(hash256{{1}}, 0) != target_seed(hash256{{2}}, 0));
  const auto seed = audit_seed_of(sha256(bytes{1}), {});
  CHECK(seed != audit_seed_of(sha256(bytes{2}), {}));
  CHECK(seed != audit_seed_of(sha256(bytes{1}), sha256(bytes{1}).as<target_tag>()));
  CHECK(audit_draw(seed, 0) != audit_draw(seed, 1));
  CHECK(audit_draw(seed, 0) != audit_draw(sha256(bytes{1}), 0));
}

}  // namespace soma::signing
