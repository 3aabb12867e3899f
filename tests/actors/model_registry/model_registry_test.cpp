#include <doctest/doctest.h>

#include "actors/localnet/world.hpp"
#include "actors/model_registry/model_registry.hpp"
#include "actors/router/router.hpp"
#include "actors/target_generator/target_generator.hpp"
#include "messages/values/architecture.hpp"
#include "model/noise/noise.hpp"
#include "model/scoring/distance.hpp"
#include "tests/actors/support/model_entries.hpp"

using namespace soma;
using namespace soma::localnet;
using namespace soma::model_registry;
using namespace soma::router;
using namespace soma::target_generator;
using soma::test::delta;
using soma::test::entry;

namespace {

using applied = model_index::applied;

}  // namespace

TEST_CASE("an index takes a snapshot, and then only deltas that continue it") {
  model_index index;
  // the index has no version yet
  CHECK(index.apply(delta(0, 1, {entry(1)}).root()) == applied::gap);
  CHECK(index.apply(snapshot_of(5, {entry(1), entry(2)}).root()) == applied::yes);
  CHECK(index.apply(delta(6, 7, {entry(3)}).root()) == applied::gap);
  CHECK(index.version() == 5);
  CHECK(index.apply(delta(5, 8, {entry(3)}, {entry(1).ref}).root()) == applied::yes);
  CHECK(index.apply(delta(5, 8, {entry(4)}).root()) == applied::already);
  REQUIRE(index.active().size() == 2);
  CHECK(index.full_entry(index.active().at(entry(2).ref.model)) == entry(2));
  CHECK(index.full_entry(index.active().at(entry(3).ref.model)) == entry(3));
}

TEST_CASE("a superseded or retired version can still be found, with its whole entry") {
  model_index index;
  index.apply(snapshot_of(1, {entry(1, 1), entry(2, 1)}).root());
  index.apply(delta(1, 2, {entry(1, 2)}, {entry(2, 1).ref}).root());
  REQUIRE(index.find(entry(1, 1).ref).has_value());
  CHECK(*index.find(entry(1, 1).ref) == entry(1, 1));
  CHECK(*index.find(entry(1, 2).ref) == entry(1, 2));
  CHECK(*index.find(entry(2, 1).ref) == entry(2, 1));
  CHECK(!index.find(entry(3, 1).ref).has_value());
  CHECK(index.active().size() == 1);
}

TEST_CASE(
    "the registry answers with active models, or with those that are named, in the order asked "
    "for") {
  world w(1, 0);
  const auto registry = w.system().spawn(soma::model_registry::model_registry);
  caf::anon_send(registry, snapshot_of(3, {entry(1), entry(2), entry(3)}));
  const auto all = w.ask<schema::Models>(registry, message<schema::GetModels>{});
  CHECK(all.root().getRegistryVersion() == 3);
  CHECK(all.root().getEntries().size() == 3);
  const auto named =
      w.ask<schema::Models>(registry, message<schema::GetModels>::build([](auto out) {
                              auto refs = out.initRefs(3);
                              fill(refs[0], entry(3).ref);
                              fill(refs[1], entry(9).ref);  // an unknown model
                              fill(refs[2], entry(1).ref);
                            }));
  REQUIRE(named.root().getEntries().size() == 2);
  CHECK(*entry_of(named.root().getEntries()[0]) == entry(3));
  CHECK(*entry_of(named.root().getEntries()[1]) == entry(1));
}

TEST_CASE("drawn targets are the seed's normals with every active model's exact distance") {
  world w(1, 0);
  const auto generator =
      w.system().spawn(soma::target_generator::target_generator,
                       target_generator_ports{w.system().spawn(soma::router::router)});
  const auto draw = [&](const message<schema::RegistryDelta>& known,
                        const std::vector<std::uint64_t>& seeds, std::uint32_t dim = 16) {
    return w.ask<schema::DrawnTargets>(
        generator, message<schema::DrawTargets>::build([&](auto out) {
          auto list = out.initSeeds(static_cast<unsigned>(seeds.size()));
          for (unsigned i = 0; i < seeds.size(); ++i) list.set(i, seeds[i]);
          out.setDim(dim);
          out.setDelta(known.root());
        }));
  };
  const std::vector<model_entry> models{entry(1), entry(2), entry(5)};
  const auto drawn = draw(snapshot_of(2, models), {42, 43});
  REQUIRE(drawn.root().getRefusal().isNone());
  REQUIRE(drawn.root().getPoints().size() == 2);
  REQUIRE(drawn.root().getModels().size() == 3);
  for (unsigned t = 0; t < 2; ++t) {
    const auto point = noise::normals(42 + t, 16);
    CHECK(floats_of(drawn.root().getPoints()[t]) == point);
    for (unsigned m = 0; m < 3; ++m) {
      CHECK(ref_of(drawn.root().getModels()[m]) == models[m].ref);
      CHECK(drawn.root().getDistancesQ30()[t][m] ==
            *scoring::distance_q30(point, models[m].embedding));
    }
  }
  CHECK(draw(delta(7, 8, {}), {1}).root().getRefusal().getDraw() ==
        schema::DrawRefusal::REGISTRY_GAP);
  CHECK(draw(delta(2, 3, {}, {entry(5).ref}), {1}).root().getModels().size() == 2);
  const auto is_bad = [](const message<schema::DrawnTargets>& reply) {
    const auto refusal = reply.root().getRefusal();
    return refusal.isDraw() && refusal.getDraw() == schema::DrawRefusal::BAD_DRAW;
  };
  CHECK(is_bad(draw(delta(3, 3, {}), std::vector<std::uint64_t>(max_draws + 1, 1))));
  CHECK(is_bad(draw(delta(3, 3, {}), {1}, 0)));
  CHECK(is_bad(draw(delta(3, 3, {}), {1}, max_dim + 1)));
}
