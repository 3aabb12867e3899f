#include <doctest/doctest.h>

#include <algorithm>

#include "tests/actors/support/small_network.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::localnet;
using namespace soma::submitter;
using namespace soma::validator;
using soma::test::small_network;

namespace {

localnet_report run(const localnet_options& options) {
  auto report = run_localnet(options);
  REQUIRE_MESSAGE(report.has_value(), (report ? std::string() : report.error()));
  return *report;
}

}  // namespace

TEST_CASE("a local network settles targets, pays for them and keeps the supply whole") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    const soma::support::scratch_folder folder;
    const auto report = run(small_network(folder.path(), seed));
    CHECK(report.supply_ok);
    CHECK(report.epochs == 5);
    CHECK(report.targets.settled >= 20);
    CHECK(report.targets.slashed == 0);
    CHECK(report.targets.opened >= report.targets.filled);
    std::uint64_t wins = 0, won = 0;
    shannons to_models, to_submitters;
    for (const auto& model : report.models) {
      wins += model.wins;
      to_models.value += model.paid.value;
    }
    for (const auto& account : report.submitters) {
      won += account.won;
      to_submitters.value += account.paid.value;
      CHECK(account.bonds_lost == shannons{});
    }
    CHECK(wins == report.targets.settled);
    CHECK(won == report.targets.settled);
    // A reward is halved between both, and the submitter gets the odd shannon.
    CHECK(to_submitters.value - to_models.value <= report.targets.settled);
  }
}

TEST_CASE(
    "every specialist is the best on its own source, and the mixture is better than each of them "
    "on all") {
  const soma::support::scratch_folder folder;
  const auto report = run(small_network(folder.path(), 4));
  REQUIRE(report.models.size() == 3);
  for (std::size_t source = 0; source < 3; ++source) {
    CAPTURE(source);
    for (std::size_t model = 0; model < 3; ++model) {
      if (model == source) continue;
      CHECK(report.models[source].bits_per_byte[source].second <
            report.models[model].bits_per_byte[source].second);
    }
  }
  double shares = 0;
  REQUIRE(report.mixture.experts.size() == 3);
  for (const auto& expert : report.mixture.experts) {
    CHECK(report.mixture.bits_per_byte < expert.bits_per_byte);
    shares += expert.share;
  }
  CHECK(shares == doctest::Approx(1.0).epsilon(1e-9));
}

TEST_CASE(
    "the same seed gives the same state root, whatever the number of threads; another seed "
    "another") {
  const soma::support::scratch_folder a, b, c, d;
  auto options = small_network(a.path(), 7);
  options.epochs = 4;  // models are assigned from the third on
  options.threads = 1;
  const auto first = run(options);
  options.directory = b.path();
  options.threads = 4;
  const auto second = run(options);
  CHECK(first.state_root == second.state_root);
  CHECK(first.height == second.height);
  options.directory = c.path();
  options.seed = 8;
  CHECK(run(options).state_root != first.state_root);
  // The result depends on the data as well as on the seed.
  options = small_network(d.path(), 7);
  options.epochs = 4;
  options.sources[0].files[0].front() ^= 1;
  CHECK(run(options).state_root != first.state_root);
}

TEST_CASE("every cheat loses its bonds and earns nothing, no honest submitter loses anything") {
  for (const std::uint64_t seed : {11u, 12u}) {
    CAPTURE(seed);
    const soma::support::scratch_folder folder;
    auto options = small_network(folder.path(), seed);
    options.with_cheats = true;
    options.epochs = 7;
    const auto report = run(options);
    CHECK(report.supply_ok);
    CHECK(report.targets.slashed > 0);
    std::size_t cheats = 0;
    for (const auto& account : report.submitters) {
      CAPTURE(account.name);
      CAPTURE(account.conduct);
      if (account.conduct == "honest") {
        CHECK(account.bonds_lost == shannons{});
        CHECK(account.won > 0);
        CHECK(account.paid > shannons{});
      } else {
        ++cheats;
        CHECK(account.claimed > 0);
        CHECK(account.won == 0);
        CHECK(account.paid == shannons{});
        CHECK(account.bonds_lost > shannons{});
      }
    }
    CHECK(cheats == 4);
  }
}

TEST_CASE("a specialist that cannot be trained ends the network with its name and the reason") {
  const soma::support::scratch_folder folder;
  auto options = small_network(folder.path(), 1);
  options.train = [](std::size_t number, const std::vector<bytes>& data, std::uint64_t seed) {
    if (number == 1) throw std::runtime_error("the loss is not finite");
    return test::train_byte_model(data, seed);
  };
  const auto report = run_localnet(options);
  REQUIRE_FALSE(report.has_value());
  CAPTURE(report.error());
  CHECK(report.error().find("digits") != std::string::npos);
  CHECK(report.error().find("the loss is not finite") != std::string::npos);
}

TEST_CASE("a network that is interrupted says so and keeps its supply whole") {
  const soma::support::scratch_folder folder;
  auto options = small_network(folder.path(), 1);
  std::uint64_t epoch = 0;
  options.on_progress = [&](const localnet_progress& now) { epoch = now.epoch; };
  options.interrupted = [&] { return epoch >= 3; };
  const auto report = run(options);
  CHECK(report.interrupted);
  CHECK(report.supply_ok);
  CHECK(report.height > 40);
  CHECK(report.epochs < 5);
}

TEST_CASE("four validators agree on every block, judge for themselves and are all paid") {
  for (const std::uint64_t seed : {31u, 32u}) {
    CAPTURE(seed);
    const soma::support::scratch_folder a, b;
    auto options = small_network(a.path(), seed);
    options.validators = 4;
    options.with_cheats = seed == 32;
    options.threads = 1;
    const auto report = run(options);
    CHECK(report.supply_ok);
    CHECK(report.validators_agree);
    CHECK(report.targets.settled >= 20);
    CHECK((report.targets.slashed > 0) == options.with_cheats);
    REQUIRE(report.validators.size() == 4);
    for (const auto& validator : report.validators) {
      CHECK(validator.paid > shannons{});
      CHECK(validator.height + 2 >= report.height);
    }
    if (seed == 32) continue;
    options.directory = b.path();
    options.threads = 3;
    const auto again = run(options);
    CHECK(again.state_root == report.state_root);
    CHECK(again.height == report.height);
  }
}
