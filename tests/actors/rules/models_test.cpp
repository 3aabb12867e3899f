#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "actors/rules/models.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

using rules::refusal;

struct world {
  person owner = somebody(1), other = somebody(2);
  network net{small_genesis(3, std::vector{owner, other})};
  [[nodiscard]] model_row model(const model_id& id) const {
    return *ledger::read_model(net.state, id);
  }
  [[nodiscard]] model_version_row version(const model_id& id, std::uint32_t number) const {
    return *ledger::read_version(net.state, {id, number});
  }
  [[nodiscard]] version_status status(const model_id& id, std::uint32_t number) const {
    return version(id, number).status;
  }
};

// Protocol §6.1 and §6.8.
TEST_CASE("a model is committed in one epoch, revealed in the next and active from the one after") {
  world w;
  auto plan = network::plan(1);
  w.net.commit(w.owner, plan, 3 * shannons_per_soma);
  w.net.block();
  CHECK(w.model(plan.id).status == model_status::committed);
  CHECK(w.model(plan.id).pool ==
        stake_pool{{3 * shannons_per_soma}, 3 * shannons_per_soma, 3 * shannons_per_soma});
  w.net.end_epoch();
  CHECK(!w.net.run(w.owner, network::reveal_of(plan)));
  CHECK(w.status(plan.id, 1) == version_status::revealed);
  CHECK(w.model(plan.id).status == model_status::committed);
  w.net.judge({plan.id, 1});
  const auto& done = w.net.end_epoch();
  REQUIRE(done.registry.size() == 1);
  CHECK(done.registry[0] ==
        rules::registry_change{{plan.id, 1}, true, plan.embedding, {3 * shannons_per_soma}});
  CHECK(w.model(plan.id).status == model_status::active);
  CHECK(w.version(plan.id, 1).activation_order == 1);
  CHECK(w.model(plan.id).active_version == 1);
}

// Protocol §6.2.
TEST_CASE("the size of a model's values follows from its architecture") {
  // Worked out by hand: 264 rows of 4 twice, 264 biases, two norms' vectors of 4 and the last one,
  // four 4 x 4 matrices and two 4 x 4 ones, each with its bias.
  CHECK(rules::weights_bytes(test_architecture) ==
        4 * (2 * 264 * 4 + 264 + 2 * 4 + (4 * 4 + 4 * (16 + 4) + (16 + 4) + (16 + 4))));
  // The full network has 1.2 thousand million parameters.
  CHECK(rules::weights_bytes({}) == 4'838'736'928);
}

// Protocol §6.2.
TEST_CASE("commits of new models are refused in the listed order") {
  world w;
  auto commit = network::commit_of(w.owner, network::plan(1), std::nullopt, shannons_per_soma - 1);
  commit.commission_bps = 10'001;
  auto bad_manifest = commit;
  bad_manifest.manifest.chunk_bytes = 4'096;
  CHECK(w.net.run(w.owner, bad_manifest) == refusal::manifest_invalid);
  bad_manifest = commit;
  const auto values = rules::weights_bytes(test_architecture);
  for (const auto size : {std::uint64_t{0}, values, values + (1u << 20) + 1}) {
    bad_manifest.manifest.size_bytes = size;
    CHECK(w.net.run(w.owner, bad_manifest) == refusal::manifest_invalid);
  }
  bad_manifest.manifest.size_bytes = values + 1;
  CHECK(w.net.run(w.owner, bad_manifest) == refusal::stake_below_minimum);
  bad_manifest.manifest.size_bytes = values + (1u << 20);
  CHECK(w.net.run(w.owner, bad_manifest) == refusal::stake_below_minimum);
  CHECK(w.net.run(w.owner, commit) == refusal::stake_below_minimum);
  commit.stake = {200'000 * shannons_per_soma};
  CHECK(w.net.run(w.owner, commit) == refusal::commission_out_of_range);
  commit.commission_bps = 0;
  CHECK(w.net.run(w.owner, commit) == refusal::balance_too_low);
  commit.stake = {w.net.balance(w.owner)};
  CHECK(w.net.run(w.owner, commit) == refusal::fee_unaffordable);
}

// Protocol §6.2.
TEST_CASE("updates are refused in the listed order, and a good one replaces the active version") {
  world w;
  const auto id = w.net.active_models(w.owner, 1)[0].id;
  auto next = network::plan(9);
  next.id = id;
  CHECK(w.net.run(w.other, network::commit_of(w.other, next, id_from<model_id>(3))) ==
        refusal::model_unknown);
  CHECK(w.net.run(w.other, network::commit_of(w.other, next, id)) == refusal::not_model_owner);
  auto greedy = network::commit_of(w.owner, next, id, 0);
  greedy.commission_bps = 1'501;
  CHECK(w.net.run(w.owner, greedy) == refusal::commission_step_too_large);
  auto update = network::commit_of(w.owner, next, id, 0);
  update.commission_bps = 1'500;
  CHECK(!w.net.run(w.owner, update));
  CHECK(w.net.run(w.owner, update) == refusal::version_pending);
  CHECK(w.model(id).commission_bps == 1'000);
  w.net.end_epoch();
  CHECK(w.model(id).commission_bps == 1'500);
  CHECK(w.model(id).active_version == 1);
  CHECK(!w.net.run(w.owner, network::reveal_of(next)));
  w.net.judge({id, 2});
  const auto& done = w.net.end_epoch();
  CHECK(done.registry.size() == 2);
  CHECK(w.model(id).active_version == 2);
  CHECK(w.version(id, 1).activation_order == 1);
  CHECK(w.version(id, 2).activation_order == 2);
  CHECK(w.status(id, 1) == version_status::superseded);
  CHECK(!w.net.run(w.owner, tx::retire_model{id}));
  CHECK(w.net.run(w.owner, network::commit_of(w.owner, next, id)) == refusal::model_retiring);
  w.net.end_epoch();
  CHECK(w.model(id).status == model_status::inactive);
  CHECK(w.net.run(w.owner, network::commit_of(w.owner, next, id)) == refusal::model_inactive);
}

// Protocol §6.3.
TEST_CASE("reveals are refused in the listed order") {
  world w;
  auto plan = network::plan(1);
  w.net.commit(w.owner, plan);
  w.net.block();
  auto unknown = network::reveal_of(plan);
  unknown.model = id_from<model_id>(8);
  CHECK(w.net.run(w.owner, unknown) == refusal::model_unknown);
  CHECK(w.net.run(w.other, network::reveal_of(plan)) == refusal::not_model_owner);
  CHECK(w.net.run(w.owner, network::reveal_of(plan)) == refusal::reveal_too_early);
  w.net.end_epoch();
  for (int field = 0; field < 4; ++field) {
    CAPTURE(field);
    auto lie = network::reveal_of(plan);
    if (field == 0) lie.weights.value[0] ^= 1;
    if (field == 1) lie.key[3] ^= 1;
    if (field == 2) lie.embedding[0] += 1;
    if (field == 3) lie.salt.value[31] ^= 1;
    CHECK(w.net.run(w.owner, lie) == refusal::commitment_mismatch);
  }
  CHECK(!w.net.run(w.owner, network::reveal_of(plan)));
  CHECK(w.net.run(w.owner, network::reveal_of(plan)) == refusal::nothing_to_reveal);
}

// Protocol §6.4.
TEST_CASE(
    "embeddings of wrong dimension, not finite, or without a norm are refused even when committed "
    "to") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<std::vector<float>, refusal>> cases{
      {{}, refusal::embedding_wrong_dimension},
      {{1, 2, 3}, refusal::embedding_wrong_dimension},
      {{1, 2, 3, 4, 5}, refusal::embedding_wrong_dimension},
      {{1, nan, 3, 4}, refusal::embedding_not_finite},
      {{1, infinity, 3, 4}, refusal::embedding_not_finite},
      {{1, -infinity, 3, 4}, refusal::embedding_not_finite},
      {{1, 3e38f, 3, 4}, refusal::embedding_not_finite},
      {{0, 0, 0, 0}, refusal::embedding_norm_zero},
      {{-0.0f, 0, -0.0f, 0}, refusal::embedding_norm_zero},
      {{1e-30f, 0, 1e-45f, 0}, refusal::embedding_norm_zero}};
  world w;
  std::vector<model_plan> plans;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    plans.push_back(network::plan(i + 1));
    plans.back().embedding = cases[i].first;
    w.net.commit(w.owner, plans.back());
  }
  w.net.end_epoch();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    CHECK(w.net.run(w.owner, network::reveal_of(plans[i])) == cases[i].second);
  }
}

// Protocol §6.7.
TEST_CASE("a new model that is not revealed loses half of its stake; an update only itself") {
  world w;
  const auto id = w.net.active_models(w.owner, 1)[0].id;
  auto update = network::plan(5);
  CHECK(!w.net.run(w.owner, network::commit_of(w.owner, update, id, 0)));
  auto silent = network::plan(6);
  w.net.commit(w.owner, silent, 5 * shannons_per_soma);
  w.net.end_epoch();
  const auto stake = w.model(id).pool.stake;
  const auto burned = w.net.chain_now().burned.value;
  w.net.end_epoch();
  CHECK(w.status(id, 2) == version_status::dropped);
  CHECK(w.model(id).status == model_status::active);
  CHECK(w.model(id).active_version == 1);
  CHECK(w.model(id).pool.stake == stake);
  CHECK(w.model(silent.id).status == model_status::inactive);
  CHECK(w.model(silent.id).pool.stake.value == 5 * shannons_per_soma / 2);
  CHECK(w.net.chain_now().burned.value == burned + 5 * shannons_per_soma / 2);
}

// Protocol §6.9.
TEST_CASE("retiring before the first reveal is no cheap way out of it") {
  world w;
  auto plan = network::plan(6);
  w.net.commit(w.owner, plan, 4 * shannons_per_soma);
  w.net.block();
  CHECK(w.net.run(w.other, tx::retire_model{plan.id}) == refusal::not_model_owner);
  CHECK(w.net.run(w.other, tx::retire_model{id_from<model_id>(1)}) == refusal::model_unknown);
  CHECK(!w.net.run(w.owner, tx::retire_model{plan.id}));
  CHECK(w.net.run(w.owner, tx::retire_model{plan.id}) == refusal::model_retiring);
  w.net.end_epoch();
  CHECK(w.model(plan.id).status == model_status::inactive);
  CHECK(w.model(plan.id).pool.stake.value == 2 * shannons_per_soma);
  CHECK(w.net.run(w.owner, tx::retire_model{plan.id}) == refusal::model_inactive);
}

}  // namespace
}  // namespace soma::test
