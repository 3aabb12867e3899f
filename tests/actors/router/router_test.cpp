#include "actors/router/router.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "actors/localnet/world.hpp"
#include "messages/crypto/random.hpp"
#include "model/scoring/distance.hpp"
#include "tests/actors/support/model_entries.hpp"

using namespace soma;
using namespace soma::localnet;
using namespace soma::model_registry;
using namespace soma::router;
using soma::test::delta;
using soma::test::entry;

namespace {

constexpr std::uint32_t far = std::uint32_t{2} << 30;

std::uint32_t distance_or_far(const std::vector<float>& a, const std::vector<float>& b) {
  return scoring::distance_q30(a, b).value_or(far);
}

/// The registry in the plainest form.
struct plain_registry {
  std::map<model_id, model_entry> active;
  std::map<model_version_ref, model_entry> known;  // every version that was ever named

  void apply(bool snapshot, const std::vector<model_entry>& in,
             const std::vector<model_version_ref>& out) {
    if (snapshot) active.clear();
    for (const auto& one : in) {
      active.insert_or_assign(one.ref.model, one);
      known.insert_or_assign(one.ref, one);
    }
    for (const auto& ref : out) active.erase(ref.model);
  }
};

message<schema::AssignRequest> ask_for(const message<schema::RegistryDelta>& known,
                                       const std::vector<std::vector<float>>& points) {
  return message<schema::AssignRequest>::build([&](auto out) {
    out.setDelta(known.root());
    auto rows = out.initPoints(static_cast<unsigned>(points.size()));
    for (unsigned p = 0; p < points.size(); ++p) {
      fill(rows.init(p, static_cast<unsigned>(points[p].size())), points[p]);
    }
  });
}

void check_assignment(const plain_registry& plain, const std::vector<std::vector<float>>& points,
                      schema::Assignment::Reader answer) {
  REQUIRE(answer.getRefusal().isNone());
  REQUIRE(answer.getModels().size() == plain.active.size());
  REQUIRE(answer.getDistancesQ30().size() == points.size());
  unsigned m = 0;
  for (const auto& [id, model] : plain.active) {
    CHECK(ref_of(answer.getModels()[m]) == model.ref);
    for (unsigned p = 0; p < points.size(); ++p) {
      CHECK(answer.getDistancesQ30()[p][m] == distance_or_far(points[p], model.embedding));
    }
    ++m;
  }
}

std::vector<std::vector<float>> some_points(crypto::seeded_random& random) {
  std::vector<std::vector<float>> points;
  for (std::uint64_t p = random.below(20); p > 0; --p) {
    points.push_back(noise::normals(random.below(1'000), random.below(6) == 0 ? 8 : 16));
  }
  if (random.below(3) == 0) points.emplace_back();
  if (random.below(3) == 0) points.emplace_back(16, 0.0f);
  return points;
}

model_entry some_entry(crypto::seeded_random& random) {
  auto one = entry(random.below(60), 1 + static_cast<std::uint32_t>(random.below(3)),
                   random.below(8) == 0 ? 8 : 16);
  if (random.below(16) == 0) one.embedding.clear();
  if (random.below(16) == 0) one.embedding.assign(16, 0.0f);
  return one;
}

}  // namespace

TEST_CASE(
    "after any changes of models, a router's distances are those of the models in a plain "
    "registry") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    crypto::seeded_random random(seed);
    world w(1, 0);
    const auto paths = w.system().spawn(soma::router::router);
    plain_registry plain;
    model_index index;
    for (std::uint64_t version = 1; version < 12; ++version) {
      CAPTURE(version);
      std::vector<model_entry> in;
      std::set<model_id> named;  // a change of the ledger names a model once
      for (std::uint64_t n = random.below(40); n > 0; --n) {
        auto one = some_entry(random);
        if (named.insert(one.ref.model).second) in.push_back(std::move(one));
      }
      std::vector<model_version_ref> out;
      const bool snapshot = version == 1 || random.below(5) == 0;
      for (std::uint64_t n = snapshot ? 0 : random.below(6); n > 0; --n) {
        const auto ref = some_entry(random).ref;
        if (!named.contains(ref.model)) out.push_back(ref);
      }
      const auto change =
          snapshot ? snapshot_of(version, in) : delta(version - 1, version, in, out);
      plain.apply(snapshot, in, out);
      CHECK(index.apply(change.root()) == model_index::applied::yes);
      const auto points = some_points(random);
      check_assignment(plain, points,
                       w.ask<schema::Assignment>(paths, ask_for(change, points)).root());
      for (const auto& [ref, model] : plain.known) CHECK(index.find(ref) == model);
    }
  }
}

TEST_CASE("a route is the nearest of the probed models, superseded versions included") {
  world w(1, 0);
  const auto paths = w.system().spawn(soma::router::router);
  const auto change = snapshot_of(1, {entry(1), entry(2), entry(3), entry(4, 1, 8)});
  w.ask<schema::Assignment>(paths, ask_for(change, {}));
  w.ask<schema::Assignment>(paths, ask_for(delta(1, 2, {entry(2, 2)}), {}));
  const std::vector<model_version_ref> probed{entry(3).ref, entry(2, 1).ref, entry(9).ref,
                                              entry(4).ref, entry(1).ref};
  const auto point = noise::normals(77, 16);
  const auto route = w.ask<schema::Route>(paths, message<schema::RouteQuery>::build([&](auto out) {
                                            auto list = out.initProbes(5);
                                            for (unsigned i = 0; i < 5; ++i) {
                                              fill(list[i].initRef(), probed[i]);
                                              fill(list[i].initEmbedding(16), point);
                                            }
                                            out.setMost(3);
                                          }));
  std::vector<std::pair<std::uint32_t, model_version_ref>> expected;
  for (const auto& one : {entry(1), entry(2, 1), entry(3)}) {
    expected.emplace_back(distance_or_far(point, one.embedding), one.ref);
  }
  std::sort(expected.begin(), expected.end());
  REQUIRE(route.root().getExperts().size() == 3);
  for (unsigned i = 0; i < 3; ++i) {
    CHECK(route.root().getExperts()[i].getDistanceQ30() == expected[i].first);
    CHECK(ref_of(route.root().getExperts()[i].getRef()) == expected[i].second);
  }
}

TEST_CASE(
    "more distances than a message can hold are refused by name, and the router keeps its models") {
  world w(1, 0);
  const auto paths = w.system().spawn(soma::router::router);
  std::vector<model_entry> many;
  for (std::uint64_t n = 0; n < 20'001; ++n) many.push_back(entry(n, 1, 1));
  const std::vector<std::vector<float>> points(10'000, std::vector<float>{1});
  const auto refused = w.ask<schema::Assignment>(paths, ask_for(snapshot_of(1, many), points));
  REQUIRE(refused.root().getRefusal().isDraw());
  CHECK(refused.root().getRefusal().getDraw() == schema::DrawRefusal::TOO_MANY_DISTANCES);
  CHECK(refused.root().getRegistryVersion() == 1);
  CHECK(refused.root().getDistancesQ30().size() == 0);
  const auto fits = w.ask<schema::Assignment>(paths, ask_for(delta(1, 2, {}), {{1}, {-1}}));
  CHECK(fits.root().getRefusal().isNone());
  REQUIRE(fits.root().getDistancesQ30().size() == 2);
  CHECK(fits.root().getDistancesQ30()[1].size() == 20'001);
}
