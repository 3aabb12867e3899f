#include <doctest/doctest.h>
#include <signal.h>

#include <caf/event_based_actor.hpp>

#include <bit>
#include <mutex>

#include "actors/blob_store/blob_store_role.hpp"
#include "actors/clock/clock.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/crypto/random.hpp"
#include "model/scoring/exact_engine.hpp"
#include "tests/actors/support/stored_model.hpp"
#include "tests/functional/cluster.hpp"

using namespace soma;
using namespace soma::blob_store;
using namespace soma::clock;
using namespace soma::cluster;
using namespace soma::scorer;
using namespace soma::support;

namespace {

constexpr model_architecture small_network{2, 16, 2, 32, 32};
constexpr std::size_t data_bytes = 16'384;

message<schema::ScoreRequest> request_for(const model_entry& entry, byte_view data,
                                          std::uint64_t seed) {
  return message<schema::ScoreRequest>::build([&](auto out) {
    fill(out.initModels(1)[0], entry);
    out.setData(data_of(data));
    out.setSizeBytes(data.size());
    out.setSeed(seed);
  });
}

/// The answers, counted for each request.
struct answers {
  std::mutex mutex;
  std::vector<std::vector<message<schema::ScoreReport>>> of;
  std::size_t errors = 0;

  [[nodiscard]] bool all_there() {
    const std::lock_guard lock(mutex);
    return std::all_of(of.begin(), of.end(), [](const auto& one) { return !one.empty(); });
  }
};

void ask_all(caf::actor_system& system, const scorer_actor& pool,
             const std::vector<message<schema::ScoreRequest>>& requests,
             const std::shared_ptr<answers>& into) {
  into->of.resize(requests.size());
  system.spawn([=](caf::event_based_actor* self) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      self->request(pool, caf::infinite, requests[i])
          .then(
              [=](const message<schema::ScoreReport>& reply) {
                const std::lock_guard lock(into->mutex);
                into->of[i].push_back(reply);
              },
              [=](caf::error&) {
                const std::lock_guard lock(into->mutex);
                ++into->errors;
              });
    }
  });
}

}  // namespace

TEST_CASE("work of a scorer process that is killed or stopped is done elsewhere, once, same bits") {
  int blow = 0;
  SUBCASE("killed") {
    blow = SIGKILL;
  }
  SUBCASE("stopped, as by a cut cable") {
    blow = SIGSTOP;
  }
  CAPTURE(blow);
  const scratch_folder folder;
  const operator_ca ca(folder / "ca");
  const auto weights = weights::init_weights(small_network, 11);
  auto disk = std::make_shared<blobs::blob_store>(folder / "blobs");
  const auto entry = test::stored_model(*disk, weights);

  cluster_process host(ca.identity("host"));
  auto& system = host.system;
  const auto now = [] { return std::uint64_t{0}; };
  scorer_pool_limits limits;
  limits.clock = system.spawn(soma::clock::clock, clock_ports{now});
  limits.silence_ms = 6'000;
  const auto blobs = system.spawn<caf::detached>(blob_store_role, blob_store_ports{disk});
  const auto pool = system.spawn(scorer_pool, std::vector<scorer_worker_actor>{}, limits);
  const auto blob_port = publish_role(blobs, {"127.0.0.1", 0});
  const auto pool_port = publish_role(pool, {"127.0.0.1", 0});
  REQUIRE(blob_port.has_value());
  REQUIRE(pool_port.has_value());
  const auto status = [&] {
    const auto reply = ask<schema::PoolStatus>(system, pool, message<schema::GetPoolStatus>{});
    REQUIRE(reply.has_value());
    return *reply;
  };

  std::vector<std::unique_ptr<running_program>> scorers;
  for (const auto* name : {"first", "second"}) {
    const auto mine = ca.identity(name);
    scorers.push_back(std::make_unique<running_program>(
        folder.path(),
        soma_user::command({"scorer", "--join", "127.0.0.1:" + std::to_string(*pool_port),
                            "--blobs", "tls://127.0.0.1:" + std::to_string(*blob_port),
                            "--certificate", mine.certificate.string(), "--key", mine.key.string(),
                            "--ca", mine.ca.string(), "--name", name})));
  }
  REQUIRE(comes_true([&] { return status()->getWorkers() == 2; }));

  constexpr std::size_t kinds = 4, rounds = 30;
  crypto::seeded_random random(3);
  std::vector<bytes> data(kinds, bytes(data_bytes));
  for (auto& one : data) random.fill(one);
  std::vector<message<schema::ScoreRequest>> requests;
  for (std::size_t i = 0; i < kinds * rounds; ++i) {
    requests.push_back(request_for(entry, data[i % kinds], i % kinds));
  }
  const auto got = std::make_shared<answers>();
  ask_all(system, pool, requests, got);
  REQUIRE(comes_true([&] { return status()->getDone() >= 4 && status()->getRunning() == 2; }));
  scorers[0]->send(blow);
  REQUIRE(comes_true([&] { return got->all_there(); }));

  CHECK(status()->getRequeued() >= 1);
  CHECK(status()->getWorkers() == 1);
  // It goes on, gives an answer that is not awaited any more, and joins again.
  if (blow == SIGSTOP) {
    scorers[0]->send(SIGCONT);
    CHECK(comes_true([&] { return status()->getWorkers() == 2; }));
  }
  const auto engine = scoring::exact_engines()(weights);
  std::vector<exact::score> expected_scores;
  for (std::size_t i = 0; i < kinds; ++i) expected_scores.push_back(*engine->run(data[i], i));
  {
    const std::lock_guard lock(got->mutex);
    CHECK(got->errors == 0);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      CAPTURE(i);
      REQUIRE(got->of[i].size() == 1);
      const auto report = got->of[i][0].root();
      REQUIRE_MESSAGE(report.getRefusal().isNone(), report.getRefusal().getWhy().cStr());
      const auto& want = expected_scores[i % kinds];
      const auto result = report.getResults()[0];
      CHECK(std::bit_cast<std::uint32_t>(result.getLoss()) ==
            std::bit_cast<std::uint32_t>(want.loss));
      const data_hash hash{crypto::hash("soma.blob-data", data[i % kinds]).value};
      CHECK(id_or_zero<hash256>(result.getDigest()) ==
            scoring::score_digest(small_network, entry.weights, hash, i % kinds, want));
    }
  }
  // The scorer that is left ends when it is asked to, and says so.
  scorers[1]->send(SIGINT);
  const auto ended = scorers[1]->wait();
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.find("stopped") != std::string::npos);
  CHECK(comes_true([&] { return status()->getWorkers() == (blow == SIGSTOP ? 1 : 0); }));
  for (const auto& role : {caf::actor_cast<caf::actor>(pool), caf::actor_cast<caf::actor>(blobs),
                           caf::actor_cast<caf::actor>(limits.clock)}) {
    caf::anon_send_exit(role, caf::exit_reason::user_shutdown);
  }
}
