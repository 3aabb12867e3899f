// One validator with the roles that it needs, alone in a world, over a ledger on the disk.
#pragma once

#include <doctest/doctest.h>

#include <functional>

#include "actors/localnet/world.hpp"
#include "actors/model_registry/model_registry.hpp"
#include "actors/router/router.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "actors/target_generator/target_generator.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "actors/validator/validator.hpp"
#include "actors/wallet/wallet.hpp"
#include "messages/crypto/random.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/support/byte_model.hpp"
#include "tests/support/program.hpp"

namespace soma::test {

inline crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}
inline address address_of(std::uint64_t seed) {
  return crypto::address_of(key_of(seed).public_half());
}

/// The accounts of the keys 1 and 2, and the validator of key 9. An epoch takes a minute.
inline soma::genesis small_genesis() {
  soma::genesis genesis;
  genesis.name = "test";
  genesis.start_ms = 1'000'000;
  genesis.parameters.architecture = byte_architecture;
  genesis.parameters.epoch_ms = 60'000;
  genesis.accounts = {{address_of(1), {100 * shannons_per_soma}},
                      {address_of(2), {shannons_per_soma}}};
  genesis.validators = {{key_of(9).public_half(), {5'000 * shannons_per_soma}}};
  return genesis;
}

/// The record of votes beside a ledger, created with the ledger.
inline std::shared_ptr<validator::vote_memory> votes_in(const std::filesystem::path& folder,
                                                        std::uint64_t seed) {
  votes::voting_record_options small;
  small.map_bytes = 1u << 26;
  small.reserve_bytes = 0;
  small.sync = false;
  const auto chain = signing::chain_id_of(small_genesis());
  const auto key = key_of(seed).public_half();
  if (!std::filesystem::exists(folder / "votes"))
    votes::voting_record_store::create(folder / "votes", chain, key, small);
  return std::make_shared<validator::vote_memory>(folder / "votes", chain, key, small);
}

/// A pool without workers: what it is asked to do waits for ever.
inline scorer::scorer_actor idle_scorer(caf::actor_system& system) {
  return system.spawn(scorer::scorer_pool, std::vector<scorer::scorer_worker_actor>{},
                      scorer::scorer_pool_limits{});
}

/// The validator of key 9. The folder outlives it.
struct one_validator {
  explicit one_validator(
      const std::filesystem::path& folder,
      const std::function<scorer::scorer_actor(caf::actor_system&)>& new_scorer = idle_scorer)
      : ledger(std::make_shared<tables::ledger_store>(
            folder / "ledger", tables::ledger_options{1u << 28, false, false})),
        w(1, ledger->initialised() ? ledger->chain()->time_ms : small_genesis().start_ms) {
    REQUIRE(validator::open_ledger(*ledger, small_genesis()).has_value());
    auto& system = w.system();
    validator::validator_ports ports;
    ports.clock = w.clock();
    ports.target_generator =
        system.spawn(target_generator::target_generator,
                     target_generator::target_generator_ports{system.spawn(router::router)});
    ports.registry = system.spawn(model_registry::model_registry);
    ports.scorer = new_scorer(system);
    ports.ledger = ledger;
    ports.votes = votes_in(folder, 9);
    handle = system.spawn(validator::validator, key_of(9), ports, validator::validator_options{});
  }

  validator::offer_refusal submit(const signed_transaction& sent) {
    return validator::offer_refusal_of(
        w.ask<schema::SubmitReceipt>(handle, wallet::offer(sent)).root().getRefusal());
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
  localnet::world w;
  validator::validator_actor handle;
};

}  // namespace soma::test
