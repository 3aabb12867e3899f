// Validators in a simulated network that keep snapshots for late validators.
#include <doctest/doctest.h>

#include <fstream>

#include "actors/localnet/world_committee.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "actors/state_sync/state_server.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/crypto/random.hpp"
#include "tests/actors/support/byte_model.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::localnet;
using namespace soma::scorer;
using namespace soma::state_sync;
using namespace soma::validator;

namespace {

constexpr std::uint64_t start_ms = 1'000'000;

crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}

/// Four validators whose epochs take ten seconds.
struct keeping_network {
  explicit keeping_network(const std::filesystem::path& folder) : w(1, start_ms) {
    committee_plan plan;
    plan.directory = folder;
    plan.genesis.name = "keeping";
    plan.genesis.start_ms = start_ms;
    plan.genesis.parameters.architecture = test::byte_architecture;
    plan.genesis.parameters.epoch_ms = 10'000;
    for (std::uint64_t i = 0; i < 4; ++i) {
      plan.keys.push_back(key_of(100 + i));
      plan.genesis.validators.push_back(
          {plan.keys.back().public_half(), {5'000 * shannons_per_soma}});
    }
    plan.pace.block_ms = 200;
    plan.pace.listen_ms = 500;
    plan.ledger_map_bytes = std::size_t{256} << 20;
    plan.keeps_snapshots = true;
    plan.new_scorer = [this](std::size_t) {
      return w.system().spawn(scorer_pool, std::vector<scorer_worker_actor>{},
                              scorer_pool_limits{});
    };
    plan.notify_operator = [this](std::size_t number, const std::string& line) {
      told.emplace_back(number, line);
    };
    auto begun = world_committee::begin(w, std::move(plan));
    REQUIRE(begun.has_value());
    committee = std::move(*begun);
  }
  [[nodiscard]] bool reaches_epoch(std::uint64_t epoch) {
    const auto done = [&] {
      for (std::size_t i = 0; i < 4; ++i) {
        if (committee->at(i).ledger->chain()->epoch.value < epoch) return false;
      }
      return true;
    };
    return w.run_until(
               done, [] { return false; }, w.now_ms() + 120'000) == world::stop_reason::done;
  }

  world w;
  std::vector<std::pair<std::size_t, std::string>> told;
  std::unique_ptr<world_committee> committee;
};

}  // namespace

TEST_CASE("all validators keep the same snapshot of each epoch's base, and go on meanwhile") {
  const soma::support::scratch_folder folder;
  keeping_network n(folder.path());
  for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) {
    CAPTURE(epoch);
    REQUIRE(n.reaches_epoch(epoch));
    std::vector<bytes> first;
    for (std::size_t i = 0; i < 4; ++i) {
      CAPTURE(i);
      const snapshot_folder kept(n.committee->snapshots_of(i), true);
      const auto end = n.committee->at(i).ledger->view().epoch_end({epoch - 1});
      REQUIRE(end.has_value());
      REQUIRE(kept.height() == end->headers.front().height);
      std::vector<bytes> chunks;
      for (std::uint32_t c = 0; c < kept.chunks(); ++c) chunks.push_back(kept.chunk(c).value());
      if (i == 0) first = chunks;
      CHECK(chunks == first);
      // The snapshot also has the state root of the closing header.
      snapshot_receiver receiver(folder / ("staging-" + std::to_string(i)), end->headers.front());
      for (const auto& chunk : chunks) REQUIRE(receiver.take(chunk).has_value());
      CHECK(receiver.complete());
    }
  }
  CHECK(n.told.empty());
  CHECK(n.committee->agree());
}

TEST_CASE("a failing snapshot folder costs one line for the operator, and the chain goes on") {
  const soma::support::scratch_folder folder;
  // For one validator a file stands in the place of the folder from the start; another one loses
  // its folder later.
  std::ofstream(folder / "snapshots-2") << "no folder";
  keeping_network n(folder.path());
  REQUIRE(n.reaches_epoch(1));
  const auto third = n.committee->snapshots_of(2);
  std::filesystem::remove_all(third);
  std::ofstream(third) << "no folder";
  REQUIRE(n.reaches_epoch(3));
  bool second_told = false, third_told = false;
  for (const auto& [number, line] : n.told) {
    CAPTURE(line);
    CHECK((number == 1 || number == 2));
    CHECK(line.find("snapshot") != std::string::npos);
    second_told = second_told || number == 1;
    third_told = third_told || number == 2;
  }
  CHECK(second_told);
  CHECK(third_told);
  CHECK(n.committee->agree());
}

TEST_CASE("a validator answers questions about its state and ignores malformed ones") {
  const soma::support::scratch_folder folder;
  keeping_network n(folder.path());
  REQUIRE(n.reaches_epoch(1));
  const auto before = n.committee->network().counts().sent;
  const auto part = peer::state_part{};
  n.committee->network().inject(1, 0, peer_message{part});
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    n.committee->network().inject(1, 0, peer_message{peer::ask_state{{0}, {}, 0, i}});
  }
  REQUIRE(n.reaches_epoch(2));
  CHECK(n.committee->network().counts().sent > before + 1'000);
  CHECK(n.committee->network().counts().blames.empty());
  CHECK(n.committee->agree());
}
