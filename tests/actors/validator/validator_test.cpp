#include "actors/validator/validator.hpp"

#include <doctest/doctest.h>

#include "actors/execution/ledger_reader.hpp"
#include "actors/gateway_client/verified_ledger.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/wallet/wallet.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/validator/one_validator.hpp"

using namespace soma;
using namespace soma::execution;
using namespace soma::validator;
using soma::test::address_of;
using soma::test::key_of;
using soma::test::one_validator;
using soma::test::small_genesis;

namespace {

signed_transaction transfer(soma::wallet::wallet& from, std::uint64_t to_seed,
                            std::uint64_t amount) {
  return from.sign(tx::transfer{address_of(to_seed), {amount}}, epoch_number{2}).sent;
}

/// A gateway that passes questions on to the validator.
gateway_client::fetch_port gateway_to(one_validator& v) {
  const auto copied = [](const auto& answer) {
    const auto view = answer.bytes();
    return bytes(view.begin(), view.end());
  };
  gateway_client::fetch_port port;
  port.genesis = [] { return encode(small_genesis()); };
  port.epoch_proofs = [&v, copied](const auto& asked) {
    return copied(v.w.ask<schema::EpochProofs>(v.handle, asked));
  };
  port.proven_rows = [&v, copied](const auto& asked) {
    return copied(v.w.ask<schema::ProvenRows>(v.handle, asked));
  };
  return port;
}

const offer_refusal taken;
offer_refusal code(rules::refusal refusal) {
  return refusal;
}
offer_refusal code(consensus::pool_refusal refusal) {
  return refusal;
}

}  // namespace

TEST_CASE("a transfer that is taken is in a block soon, and durable") {
  const soma::support::scratch_folder folder;
  soma::wallet::wallet sender(key_of(1), signing::chain_id_of(small_genesis()), 0);
  soma::state_root root;
  std::uint64_t height = 0;
  {
    one_validator v(folder.path());
    CHECK(v.submit(transfer(sender, 2, 5'000)) == taken);
    v.pass(3'000);
    CHECK(v.balance(2).value == shannons_per_soma + 5'000);
    const auto status = v.status();
    height = status.root().getHeight();
    CHECK(height >= 1);
    CHECK(status.root().getSigns());
    CHECK(status.root().getSupplyOk());
    root = id_or_zero<soma::state_root>(status.root().getStateRoot());
  }
  // With the same ledger every acknowledged block is there, and the chain goes on from it.
  one_validator again(folder.path());
  CHECK(again.status().root().getHeight() >= height);
  CHECK(again.ledger->block_at({height})->header.state_root == root);
  CHECK(again.submit(transfer(sender, 2, 7'000)) == taken);
  again.pass(3'000);
  CHECK(again.balance(2).value == shannons_per_soma + 12'000);
  // Every block names the previous one, also across the restart.
  for (block_height h{2}; h <= again.ledger->view().height(); h = h.next()) {
    const auto before = again.ledger->block_at({h.value - 1});
    CHECK(again.ledger->block_at(h)->header.parent == signing::id_of(before->header));
  }
  CHECK(again.ledger->block_at(again.ledger->view().height())->header.state_root ==
        id_or_zero<soma::state_root>(again.status().root().getStateRoot()));
}

TEST_CASE("a stranger reads proven rows through the validator's messages, block after block") {
  const soma::support::scratch_folder folder;
  const auto chain = signing::chain_id_of(small_genesis());
  soma::wallet::wallet sender(key_of(1), chain, 0);
  one_validator v(folder.path());
  const auto gateway = gateway_to(v);
  auto stranger = gateway_client::verified_ledger::start(
      chain, gateway, [&v] { return v.w.now_ms(); }, {.max_age_ms = 5'000});
  REQUIRE(stranger.has_value());
  v.pass(2'000);
  for (std::uint64_t round = 1; round <= 10; ++round) {
    CAPTURE(round);
    CHECK(v.submit(transfer(sender, 2, 1'000)) == taken);
    v.pass(8'000);
    const auto found = stranger->find(gateway, account_key(address_of(2)));
    REQUIRE(found.has_value());
    CHECK(decode<account_row>(**found)->balance.value == shannons_per_soma + round * 1'000);
    CHECK(stranger->height() == v.ledger->view().height());
  }
  CHECK(stranger->epoch().value == 1);
}

TEST_CASE("blocks, what proves them and their events can be asked for") {
  const soma::support::scratch_folder folder;
  soma::wallet::wallet sender(key_of(1), signing::chain_id_of(small_genesis()), 0);
  one_validator v(folder.path());
  CHECK(v.submit(transfer(sender, 2, 1'000)) == taken);
  v.pass(3'000);
  const auto blocks =
      v.w.ask<schema::FinalBlocks>(v.handle, message<schema::GetBlocks>::build([](auto out) {
                                     out.setFrom(1);
                                     out.setMost(1);
                                   }));
  REQUIRE(blocks.root().getBlocks().size() == 1);
  CHECK(decode<block>(view_of(blocks.root().getBlocks()[0])) == v.ledger->block_at({1}).value());
  const auto proof = v.w.ask<schema::FinalityAnswer>(
      v.handle, message<schema::GetFinality>::build([](auto out) { out.setHeight(1); }));
  CHECK(view_of(proof.root().getFinality().getHeaders()).size() >= header_layout_bytes);
  const auto events =
      v.w.ask<schema::EventPage>(v.handle, message<schema::GetEvents>::build([](auto out) {
                                   out.setMost(10);
                                   const auto whose = address_of(2);
                                   out.setAddress(data_of(whose));
                                 }));
  REQUIRE(events.root().getEvents().size() == 1);
  const auto paid = decode<event>(view_of(events.root().getEvents()[0].getEvent()));
  CHECK(paid->kind == event_kind::transferred);
  CHECK(events.root().getNextHeight() == events.root().getHeight() + 1);
}

TEST_CASE("epochs end without any transaction") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  v.pass(185'000);
  CHECK(v.status().root().getEpoch() == 3);
  // There is a block every second, with or without transactions.
  CHECK(v.status().root().getHeight() > 170);
  CHECK(v.status().root().getHeight() < 190);
  CHECK(ledger::supply_is_whole(ledger_reader(*v.ledger)));
}

// Protocol §7.1.1.
TEST_CASE("a validator commits to a hash onion by itself and peels it, also after a restart") {
  const soma::support::scratch_folder folder;
  const auto onion_of = [](const one_validator& v) {
    const auto view = v.ledger->view();
    const auto key = ledger::read_committee(ledger_reader(*v.ledger)).seats[0].consensus_key;
    return ledger::read_onion(ledger_reader(*v.ledger), key).value_or(onion_row{});
  };
  std::uint64_t peeled = 0;
  {
    one_validator v(folder.path());
    v.pass(130'000);
    const auto row = onion_of(v);
    CHECK(row.next_layer == hash256{});
    CHECK(row.number == 0);
    peeled = v.ledger->view().height().value;
    CHECK(v.ledger->block_at({peeled})->header.peel == row.layer);
    CHECK(row.layer != hash256{});
    CHECK(v.ledger->block_at({30})->header.peel == hash256{});
  }
  one_validator again(folder.path());
  again.pass(10'000);
  const auto height = again.ledger->view().height().value;
  REQUIRE(height > peeled);
  for (auto h = peeled + 1; h <= height; ++h) {
    const auto before = again.ledger->block_at({h - 1})->header.peel;
    CHECK(signing::layer_around(again.ledger->block_at({h})->header.peel) == before);
  }
}

// By security §8.1 a transaction that cannot be charged is not kept.
TEST_CASE("a transaction that cannot be executed is refused at once and by name") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  const auto chain = signing::chain_id_of(small_genesis());
  soma::wallet::wallet sender(key_of(1), chain, 0);
  const auto good = transfer(sender, 2, 1);
  auto forged = good;
  forged.by_sender[3] ^= 1;
  CHECK(v.submit(forged) == code(rules::refusal::bad_signature));
  auto cut = good;
  cut.body.resize(cut.body.size() - 8);
  CHECK(v.submit(cut) == code(rules::refusal::malformed));
  CHECK(v.submit({bytes(max_transaction_bytes + 8, 0), {}}) == code(rules::refusal::too_large));
  soma::wallet::wallet elsewhere(key_of(1), chain_id{{1}}, 0);
  CHECK(v.submit(transfer(elsewhere, 2, 1)) == code(rules::refusal::wrong_chain));
  soma::wallet::wallet stranger(key_of(77), chain, 0);
  CHECK(v.submit(transfer(stranger, 2, 1)) == code(rules::refusal::account_unknown));
  CHECK(v.submit(good) == taken);
  // The transaction still waits in the pool, or a block has it by now.
  CHECK(std::holds_alternative<consensus::pool_refusal>(v.submit(good)));
  v.pass(3'000);
  CHECK(v.submit(good) == code(consensus::pool_refusal::nonce_too_low));  // a replay
  std::size_t applied = 0;
  for (block_height h{1}; h <= v.ledger->view().height(); h = h.next())
    applied += v.ledger->block_at(h)->payload.size();
  CHECK(applied == 1);
}

TEST_CASE("a member does its duties without a balance; all else needs one") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  const auto chain = signing::chain_id_of(small_genesis());
  soma::wallet::wallet member(key_of(9), chain, 0), stranger(key_of(3), chain, 0);
  CHECK(v.balance(9) == shannons{});
  CHECK(v.submit(member.sign(tx::vote_on_submission{}, epoch_number{2}).sent) ==
        code(rules::refusal::target_unknown));
  member = soma::wallet::wallet(key_of(9), chain, 0);
  CHECK(v.submit(member.sign(tx::commit_onion{{{1}}, 1}, epoch_number{2}).sent) == taken);
  CHECK(v.submit(member.sign(tx::retire_model{}, epoch_number{2}).sent) ==
        code(rules::refusal::base_fee_unaffordable));
  soma::wallet::wallet rich(key_of(1), chain, 0);
  REQUIRE(v.submit(transfer(rich, 3, 1)) == taken);
  v.pass(3'000);
  CHECK(v.balance(3) == shannons{1});
  CHECK(v.submit(stranger.sign(tx::vote_on_submission{}, epoch_number{2}).sent) ==
        code(rules::refusal::voter_not_in_committee));
}

TEST_CASE("bytes of all kinds neither enter the ledger nor hurt the validator") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  soma::wallet::wallet sender(key_of(1), signing::chain_id_of(small_genesis()), 0);
  const auto good = transfer(sender, 2, 1);
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    auto bad = good;
    if (seed % 3 == 0) bad.body.resize(random.below(600));
    if (seed % 3 != 2) random.fill(bad.body);
    if (seed % 3 == 2)
      bad.body[random.below(bad.body.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
    CHECK(v.submit(bad) != taken);
    bytes key(random.below(700));
    random.fill(key);
    CHECK_FALSE(v.row(key).root().getFound());
  }
  for (const std::uint32_t most : {0u, 1u, 4'000'000'000u}) {
    const auto open = v.w.ask<schema::OpenTargets>(
        v.handle, message<schema::GetOpenTargets>::build([&](auto out) { out.setMost(most); }));
    CHECK(open.root().getTargets().size() == 0);
  }
  v.pass(3'000);
  for (block_height h{1}; h <= v.ledger->view().height(); h = h.next())
    CHECK(v.ledger->block_at(h)->payload.empty());
  CHECK(v.submit(good) == taken);  // the validator still works
}

TEST_CASE("a validator that exchanges no blobs says that it cannot ask who has one") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  const auto answer =
      v.w.ask<schema::Holders>(v.handle, message<schema::GetHolders>::build([&](auto out) {
                                 out.setBlob(data_of(blob_id{{1}}));
                                 out.setSizeBytes(1);
                               }));
  CHECK_FALSE(answer.root().getCanAsk());
  CHECK(answer.root().getKeys().size() == 0);
}

TEST_CASE("a ledger of another network is not opened") {
  const soma::support::scratch_folder folder;
  { one_validator v(folder.path()); }
  tables::ledger_store ledger(folder / "ledger", {1u << 28, false});
  auto other = small_genesis();
  other.name = "other";
  CHECK_FALSE(open_ledger(ledger, other).has_value());
  other.validators.clear();
  CHECK_FALSE(open_ledger(ledger, other).has_value());
  CHECK(open_ledger(ledger, small_genesis()).has_value());
}
