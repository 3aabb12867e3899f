#include "actors/validator/validator.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "actors/model_registry/model_registry.hpp"
#include "actors/router/router.hpp"
#include "actors/rules/derived_ids.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/rules/queries.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "actors/target_generator/target_generator.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/validator/ledger_reader.hpp"
#include "actors/wallet/wallet.hpp"
#include "actors/world/world.hpp"
#include "messages/types/codec.hpp"
#include "tests/actors/support/byte_model.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::actors;

namespace {

crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}
address address_of(std::uint64_t seed) {
  return crypto::address_of(key_of(seed).public_half());
}

genesis small_genesis() {
  genesis born;
  born.name = "test";
  born.start_ms = 1'000'000;
  born.parameters.architecture = test::byte_architecture;
  born.parameters.epoch_ms = 60'000;
  born.accounts = {{address_of(1), {100 * shannons_per_soma}},
                   {address_of(2), {shannons_per_soma}}};
  born.validators = {{key_of(9).public_half(), {5'000 * shannons_per_soma}}};
  return born;
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
  storage::voting_record_options small;
  small.map_bytes = 1u << 26;
  small.reserve_bytes = 0;
  small.sync = false;
  const auto chain = rules::chain_id_of(small_genesis());
  const auto key = key_of(seed).public_half();
  if (!std::filesystem::exists(folder / "votes"))
    storage::voting_record_store::create(folder / "votes", chain, key, small);
  return std::make_shared<vote_memory>(folder / "votes", chain, key, small);
}

/// One validator with its roles, alone, over a folder that outlives it.
struct one_validator {
  explicit one_validator(const std::filesystem::path& folder,
                         std::shared_ptr<std::deque<message<schema::ModelCheck>>> script = nullptr)
      : ledger(std::make_shared<storage::ledger_store>(
            folder / "ledger", storage::ledger_options{1u << 28, false, false})),
        w(1, ledger->initialised() ? ledger->chain()->time_ms : small_genesis().start_ms) {
    REQUIRE(open_ledger(*ledger, small_genesis()).has_value());
    auto& system = w.system();
    validator_ports ports;
    ports.clock = w.clock();
    ports.target_generator =
        system.spawn(target_generator, target_generator_ports{system.spawn(router)});
    ports.registry = system.spawn(model_registry);
    ports.scorer = script ? system.spawn(scripted_scorer, script)
                          : system.spawn(scorer_pool, std::vector<scorer_worker_actor>{},
                                         scorer_pool_limits{});
    ports.ledger = ledger;
    ports.votes = votes_in(folder, 9);
    handle = system.spawn(validator, key_of(9), ports, validator_options{});
  }

  std::uint16_t submit(const signed_transaction& sent) {
    return w.ask<schema::SubmitReceipt>(handle, offer(sent)).root().getRefusal();
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

  std::shared_ptr<storage::ledger_store> ledger;
  world w;
  validator_actor handle;
};

signed_transaction transfer(wallet& from, std::uint64_t to_seed, std::uint64_t amount) {
  return from.sign(tx::transfer{address_of(to_seed), {amount}}, epoch_number{10});
}

std::uint16_t code(rules::refusal refusal) {
  return static_cast<std::uint16_t>(refusal);
}

}  // namespace

TEST_CASE("a transfer that is taken is in a block soon, and durable") {
  const soma::support::scratch_folder folder;
  wallet sender(key_of(1), rules::chain_id_of(small_genesis()));
  soma::state_root root;
  std::uint64_t height = 0;
  {
    one_validator v(folder.path());
    CHECK(v.submit(transfer(sender, 2, 5'000)) == 0);
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
  CHECK(again.submit(transfer(sender, 2, 7'000)) == 0);
  again.pass(3'000);
  CHECK(again.balance(2).value == shannons_per_soma + 12'000);
  // And on: every block names the one before, across the restart too.
  for (block_height h{2}; h <= again.ledger->view().height(); h = h.next()) {
    const auto before = again.ledger->block_at({h.value - 1});
    CHECK(again.ledger->block_at(h)->header.parent == crypto::id_of(before->header));
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
  CHECK(rules::supply_is_whole(ledger_reader(*v.ledger)));
}

TEST_CASE("what cannot be executed is refused at once and by name") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  const auto chain = rules::chain_id_of(small_genesis());
  wallet sender(key_of(1), chain);
  const auto good = transfer(sender, 2, 1);
  auto forged = good;
  forged.by_sender[3] ^= 1;
  CHECK(v.submit(forged) == code(rules::refusal::bad_signature));
  auto cut = good;
  cut.body.resize(cut.body.size() - 8);
  CHECK(v.submit(cut) == code(rules::refusal::malformed));
  CHECK(v.submit({bytes(max_transaction_bytes + 8, 0), {}}) == code(rules::refusal::too_large));
  wallet elsewhere(key_of(1), chain_id{});
  CHECK(v.submit(transfer(elsewhere, 2, 1)) == code(rules::refusal::wrong_chain));
  wallet stranger(key_of(77), chain);
  CHECK(v.submit(transfer(stranger, 2, 1)) == code(rules::refusal::account_unknown));
  CHECK(v.submit(good) == 0);
  CHECK(v.submit(good) > pool_refusals_from);  // it waits already
  v.pass(3'000);
  CHECK(v.submit(good) > pool_refusals_from);  // a replay: the nonce is gone
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
  wallet member(key_of(9), chain), stranger(key_of(3), chain);
  CHECK(v.balance(9) == shannons{});
  CHECK(v.submit(member.sign(tx::vote_on_submission{}, epoch_number{10})) == 0);
  CHECK(v.submit(member.sign(tx::retire_model{}, epoch_number{10})) ==
        code(rules::refusal::base_fee_unaffordable));
  wallet rich(key_of(1), chain);
  REQUIRE(v.submit(transfer(rich, 3, 1)) == 0);
  v.pass(3'000);
  CHECK(v.balance(3) == shannons{1});
  CHECK(v.submit(stranger.sign(tx::vote_on_submission{}, epoch_number{10})) ==
        code(rules::refusal::base_fee_unaffordable));
}

TEST_CASE("bytes of all kinds neither enter the ledger nor hurt the validator") {
  const soma::support::scratch_folder folder;
  one_validator v(folder.path());
  wallet sender(key_of(1), rules::chain_id_of(small_genesis()));
  const auto good = transfer(sender, 2, 1);
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    auto bad = good;
    if (seed % 3 == 0) bad.body.resize(random.below(600));
    if (seed % 3 != 2) random.fill(bad.body);
    if (seed % 3 == 2)
      bad.body[random.below(bad.body.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
    CHECK(v.submit(bad) != 0);
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
  CHECK(v.submit(good) == 0);  // and it still works
}

TEST_CASE("a checker's own trouble is no verdict on a model, what stays missing is one") {
  const auto answer = [](work_refusal refusal, model_verdict verdict) {
    return message<schema::ModelCheck>::build([&](auto out) {
      out.setRefusal(static_cast<std::uint16_t>(refusal));
      out.setVerdict(static_cast<std::uint16_t>(verdict));
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
    wallet owner(key_of(1), rules::chain_id_of(small_genesis()));
    tx::reveal_model reveal;
    reveal.embedding.assign(test::byte_architecture.dim, 0.5f);
    tx::commit_model commit;
    commit.commitment =
        rules::model_commitment(reveal.weights, reveal.key, reveal.embedding, reveal.salt);
    commit.manifest = {1'000, 1u << 20, blob_id{{1}}, {}};
    commit.stake = {10 * shannons_per_soma};
    const auto committed = owner.sign(commit, epoch_number{10});
    REQUIRE(v.submit(committed) == 0);
    v.pass(65'000);
    reveal.model = rules::model_id_of(crypto::id_of(committed));
    REQUIRE(v.submit(owner.sign(reveal, epoch_number{10})) == 0);
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
  storage::ledger_store ledger(folder / "ledger", {1u << 28, false});
  auto other = small_genesis();
  other.name = "other";
  CHECK_FALSE(open_ledger(ledger, other).has_value());
  other.validators.clear();
  CHECK_FALSE(open_ledger(ledger, other).has_value());
  CHECK(open_ledger(ledger, small_genesis()).has_value());
}
