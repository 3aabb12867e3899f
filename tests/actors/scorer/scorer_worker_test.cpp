// One worker with the exact engine and its own blob store, which gets requests that no role should
// send.
#include "actors/scorer/scorer_worker.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "actors/blob_store/blob_store_role.hpp"
#include "actors/localnet/world.hpp"
#include "actors/scorer/competition.hpp"
#include "model/noise/noise.hpp"
#include "model/scoring/exact_engine.hpp"
#include "tests/actors/support/stored_model.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::blob_store;
using namespace soma::localnet;
using namespace soma::scorer;

namespace {

constexpr model_architecture small_network{1, 16, 2, 24, 32};

struct fixture {
  support::scratch_folder folder;
  world net{1, 0};
  std::shared_ptr<blobs::blob_store> disk = std::make_shared<blobs::blob_store>(folder / "blobs");
  scorer_worker_actor worker = net.system().spawn(
      scorer_worker,
      scorer_worker_ports{net.system().spawn(blob_store_role, blob_store_ports{disk}),
                          net.new_background(), scoring::exact_engines()});

  message<schema::ScoreReport> score(const std::vector<model_entry>& models, const bytes& data,
                                     bool winner_only) {
    return net.ask<schema::ScoreReport>(
        worker, message<schema::ScoreRequest>::build([&](auto out) {
          auto list = out.initModels(static_cast<unsigned>(models.size()));
          for (unsigned i = 0; i < models.size(); ++i) fill(list[i], models[i]);
          out.setData(data_of(data));
          out.setSizeBytes(data.size());
          out.setWinnerOnly(winner_only);
          fill(out.initPoint(small_network.dim), noise::normals(1, small_network.dim));
        }));
  }
  message<schema::PredictReport> predict(const model_entry& model, std::uint64_t offset,
                                         std::size_t size) {
    return net.ask<schema::PredictReport>(worker,
                                          message<schema::PredictRequest>::build([&](auto out) {
                                            fill(out.initModel(), model);
                                            out.setContext(data_of(bytes(size, 97)));
                                            out.setOffset(offset);
                                          }));
  }
};

/// Finite weights whose products overflow.
weights::model_weights overflowing_weights() {
  std::vector<float> values = noise::normals(3, weights::parameter_count(small_network), 0, 1e30f);
  return weights::make_weights(small_network, std::move(values));
}

}  // namespace

TEST_CASE("a context at an offset that no position can have is refused, not believed") {
  fixture f;
  const auto model = test::stored_model(*f.disk, weights::init_weights(small_network, 1));
  const auto refusal_of = [](const message<schema::PredictReport>& report) {
    return work_refusal_of(report.root().getRefusal());
  };
  const auto bad = work_refusal::bad_request;
  constexpr std::uint64_t last = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint64_t offset : {std::uint64_t{0}, last - 4}) {
    CAPTURE(offset);
    const auto report = f.predict(model, offset, 4);
    CHECK(report.root().getRefusal().isNone());
    CHECK(report.root().getLogProbs().size() == 4 * 256);
  }
  for (const std::uint64_t offset :
       {last - 3, last, last + 1, std::numeric_limits<std::uint64_t>::max() - 3,
        std::numeric_limits<std::uint64_t>::max()}) {
    CAPTURE(offset);
    CHECK(refusal_of(f.predict(model, offset, 4)) == bad);
  }
  CHECK(refusal_of(f.predict(model, 0, 0)) == bad);
  CHECK(refusal_of(f.predict(model, 0, 33)) == bad);
}

TEST_CASE("data that no model can score has no winner, which is an answer and no failure") {
  fixture f;
  const auto broken = test::stored_model(*f.disk, overflowing_weights(), 1);
  const auto sound = test::stored_model(*f.disk, weights::init_weights(small_network, 2), 2);
  for (const bool winner_only : {false, true}) {
    CAPTURE(winner_only);
    const auto none = f.score({broken}, bytes(40, 97), winner_only);
    CHECK(none.root().getRefusal().isNone());
    CHECK(none.root().getWinner() == no_winner);
    CHECK(!none.root().getResults()[0].getValid());
    CHECK(none.root().getDistanceQ30() == 2U << 30U);
    const auto one = f.score({broken, sound}, bytes(40, 97), winner_only);
    CHECK(one.root().getRefusal().isNone());
    CHECK(one.root().getWinner() == 1);
    CHECK(one.root().getDistanceQ30() < 2U << 30U);
  }
}
