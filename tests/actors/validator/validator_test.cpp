#include "actors/validator/validator.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/localnet/world.hpp"
#include "actors/model_registry/model_registry.hpp"
#include "actors/router/router.hpp"
#include "actors/rules/derived_ids.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "actors/target_generator/target_generator.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/wallet/wallet.hpp"
#include "messages/codec/codec.hpp"
#include "tests/actors/support/byte_model.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::clock;
using namespace soma::execution;
using namespace soma::localnet;
using namespace soma::model_registry;
using namespace soma::router;
using namespace soma::scorer;
using namespace soma::target_generator;
using namespace soma::validator;
using namespace soma::wallet;

namespace {

crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}
address address_of(std::uint64_t seed) {
  return crypto::address_of(key_of(seed).public_half());
}

soma::genesis small_genesis() {
  soma::genesis genesis;
  genesis.name = "test";
  genesis.start_ms = 1'000'000;
  genesis.parameters.architecture = test::byte_architecture;
  genesis.parameters.epoch_ms = 60'000;
  genesis.accounts = {{address_of(1), {100 * shannons_per_soma}},
                      {address_of(2), {shannons_per_soma}}};
  genesis.validators = {{key_of(9).public_half(), {5'000 * shannons_per_soma}}};
  return genesis;
}

/// A scorer that answers checks of models as a script says, the last answer for ever.
scorer_actor::behavior_type scripted_scorer(
    scorer_actor::pointer, std::shared_ptr<std::deque<message<schema::ModelCheck>>> script) {
  return {[](const message<schema::ScoreRequest>&) { return message<schema::ScoreReport>{}; },
          [script](const message<schema::CheckModel>&) {
            auto answer = script->front();
            if (script->size() > 1) script->pop_front();
            return answer;
          },
          [](const message<schema::PredictRequest>&) { return message<schema::PredictReport>{}; },
          [](const message<schema::JoinPool>&) { return message<schema::Ack>{}; },
          [](const message<schema::GetPoolStatus>&) { return message<schema::PoolStatus>{}; }};
}

/// The record of votes beside a ledger, created with the ledger.
std::shared_ptr<vote_memory> votes_in(const std::filesystem::path& folder, std::uint64_t seed) {
  votes::voting_record_options small;
  small.map_bytes = 1u << 26;
  small.reserve_bytes = 0;
  small.sync = false;
  const auto chain = rules::chain_id_of(small_genesis());
  const auto key = key_of(seed).public_half();
  if (!std::filesystem::exists(folder / "votes"))
    votes::voting_record_store::create(folder / "votes", chain, key, small);
  return std::make_shared<vote_memory>(folder / "votes", chain, key, small);
}

/// One validator with its roles, alone, over a folder that outlives it.
struct one_validator {
  explicit one_validator(const std::filesystem::path& folder,
                         std::shared_ptr<std::deque<message<schema::ModelCheck>>> script = nullptr)
      : ledger(std::make_shared<tables::ledger_store>(
            folder / "ledger", tables::ledger_options{1u << 28, false, false})),
        w(1, ledger->initialised() ? ledger->chain()->time_ms : small_genesis().start_ms) {
    REQUIRE(open_ledger(*ledger, small_genesis()).has_value());
    auto& system = w.system();
    validator_ports ports;
    ports.clock = w.clock();
    ports.target_generator =
        system.spawn(soma::target_generator::target_generator,
                     target_generator_ports{system.spawn(soma::router::router)});
    ports.registry = system.spawn(soma::model_registry::model_registry);
    ports.scorer = script ? system.spawn(scripted_scorer, script)
                          : system.spawn(scorer_pool, std::vector<scorer_worker_actor>{},
                                         scorer_pool_limits{});
    ports.ledger = ledger;
    ports.votes = votes_in(folder, 9);
    handle = system.spawn(soma::validator::validator, key_of(9), ports, validator_options{});
  }

  offer_refusal submit(const signed_transaction& sent) {
    return offer_refusal_of(w.ask<schema::SubmitReceipt>(handle, offer(sent)).root().getRefusal());
  }
  message<schema::ChainStatus> status() {
    return w.ask<schema::ChainStatus>(handle, message<schema::GetChain>{});
  }
  message<schema::Row> row(byte_view key) {
    return w.ask<schema::Row>(
        handle, message<schema::GetRow>::build([&](auto out) { out.setKey(data_of(key)); }));
  }
  void pass(std::uint64_t ms) {
    w.run_until([] { return false; }, [] { return false; }, w.now_ms() + ms);
  }
  shannons balance(std::uint64_t seed) { return ledger->view().account(address_of(seed))->balance; }

  std::shared_ptr<tables::ledger_store> ledger;
  world w;
  validator_actor handle;
};

signed_transaction transfer(soma::wallet::wallet& from, std::uint64_t to_seed,
                            std::uint64_t amount) {
  return from.sign(tx::transfer{address_of(to_seed), {amount}}, epoch_number{10}).sent;
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
  soma::wallet::wallet sender(key_of(1), rules::chain_id_of(small_genesis()), 0);
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
  // The same ledger again: what was acknowledged is there, and it goes on from there.
  one_validator again(folder.path());
  CHECK(again.status().root().getHeight() >= height);
  CHECK(again.ledger->block_at({height})->header.state_root == root);
  CHECK(again.submit(transfer(sender, 2, 7'000)) == taken);
  again.pass(3'000);
  CHECK(again.balance(2).value == shannons_per_soma + 12'000);
  // And on: every block names the one before, across the restart too.
  for (block_height h{2}; h <= again.ledger->view().height(); h = h.next()) {
    const auto before = again.ledger->block_at({h.value - 1});
    CHECK(again.ledger->block_at(h)->header.parent == signing::id_of(before->header));
  }
  CHECK(again.ledger->block_at(again.ledger->view().height())->header.state_root ==
        id_or_zero<soma::state_root>(again.status().root().getStateRoot()));
}

TEST_CASE("epochs end by themselves, also when nobody sends anything") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  v.pass(185'000);
  CHECK(v.status().root().getEpoch() == 3);
  // A block a second, whether there is something to say or not.
  CHECK(v.status().root().getHeight() > 170);
  CHECK(v.status().root().getHeight() < 190);
  CHECK(ledger::supply_is_whole(ledger_reader(*v.ledger)));
}

// By security §8.1 what cannot be charged is not kept.
TEST_CASE("what cannot be executed is refused at once and by name") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  const auto chain = rules::chain_id_of(small_genesis());
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
  // It waits already, or a block has it by now.
  CHECK(std::holds_alternative<consensus::pool_refusal>(v.submit(good)));
  v.pass(3'000);
  CHECK(v.submit(good) == code(consensus::pool_refusal::nonce_too_low));  // a replay
  std::size_t applied = 0;
  for (block_height h{1}; h <= v.ledger->view().height(); h = h.next())
    applied += v.ledger->block_at(h)->payload.size();
  CHECK(applied == 1);
}

TEST_CASE(
    "a member of the committee votes without a balance, nobody else sends anything without one") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  const auto chain = rules::chain_id_of(small_genesis());
  soma::wallet::wallet member(key_of(9), chain, 0), stranger(key_of(3), chain, 0);
  CHECK(v.balance(9) == shannons{});
  CHECK(v.submit(member.sign(tx::vote_on_submission{}, epoch_number{10}).sent) == taken);
  CHECK(v.submit(member.sign(tx::retire_model{}, epoch_number{10}).sent) ==
        code(rules::refusal::base_fee_unaffordable));
  soma::wallet::wallet rich(key_of(1), chain, 0);
  REQUIRE(v.submit(transfer(rich, 3, 1)) == taken);
  v.pass(3'000);
  CHECK(v.balance(3) == shannons{1});
  CHECK(v.submit(stranger.sign(tx::vote_on_submission{}, epoch_number{10}).sent) ==
        code(rules::refusal::base_fee_unaffordable));
}

TEST_CASE("bytes of all kinds neither enter the ledger nor hurt the validator") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  soma::wallet::wallet sender(key_of(1), rules::chain_id_of(small_genesis()), 0);
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
  CHECK(v.submit(good) == taken);  // and it still works
}

TEST_CASE("a checker's own trouble is no verdict on a model, what stays missing is one") {
  const auto answer = [](work_refusal refusal, model_verdict verdict) {
    return message<schema::ModelCheck>::build([&](auto out) {
      if (refusal != work_refusal::none) fill_refusal(out.initRefusal(), refusal);
      out.setVerdict(static_cast<schema::ModelVerdict>(verdict));
    });
  };
  const auto trouble = answer(work_refusal::failed, model_verdict::unavailable);
  const auto missing = answer(work_refusal::none, model_verdict::unavailable);
  const auto good = answer(work_refusal::none, model_verdict::good);
  const auto malformed = answer(work_refusal::none, model_verdict::malformed);
  struct story {
    std::deque<message<schema::ModelCheck>> answers;
    std::optional<model_verdict> vote;
  };
  const story stories[] = {{{good}, model_verdict::good},
                           {{malformed}, model_verdict::malformed},
                           {{trouble, trouble, missing, missing, good}, model_verdict::good},
                           {{missing}, model_verdict::unavailable},
                           {{trouble}, std::nullopt}};
  for (const auto& [answers, wanted] : stories) {
    const soma::support::scratch_folder folder;
    one_validator v(folder.path(),
                    std::make_shared<std::deque<message<schema::ModelCheck>>>(answers));
    soma::wallet::wallet owner(key_of(1), rules::chain_id_of(small_genesis()), 0);
    tx::reveal_model reveal;
    reveal.embedding.assign(test::byte_architecture.dim, 0.5f);
    tx::commit_model commit;
    commit.commitment =
        rules::model_commitment(reveal.weights, reveal.key, reveal.embedding, reveal.salt);
    commit.manifest = {1'000, 1u << 20, blob_id{{1}}, {}};
    commit.stake = {10 * shannons_per_soma};
    const auto committed = owner.sign(commit, epoch_number{10}).sent;
    REQUIRE(v.submit(committed) == taken);
    v.pass(65'000);
    reveal.model = rules::model_id_of(signing::id_of(committed));
    REQUIRE(v.submit(owner.sign(reveal, epoch_number{10}).sent) == taken);
    v.pass(40'000);
    const auto version = v.ledger->view().model_version({reveal.model, 1});
    REQUIRE(version.has_value());
    CHECK(version->votes.size() == (wanted ? 1 : 0));
    if (wanted && version->votes.size() == 1) CHECK(version->votes[0].verdict == *wanted);
  }
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
