#include <algorithm>

#include "tests/actors/blob_keeper/keeper_world.hpp"

namespace soma::test {
namespace {

/// Asks a home which members have a blob, and keeps the answer.
struct pending_survey {
  pending_survey(keeper_world& world, std::size_t home, const blob_id& blob,
                 std::uint64_t size_bytes, std::uint32_t within_ms)
      : answer(std::make_shared<std::optional<std::vector<public_key>>>()) {
    const auto question = message<schema::GetHolders>::build([&](auto out) {
      out.setBlob(data_of(blob));
      out.setSizeBytes(size_bytes);
      out.setWithinMs(within_ms);
    });
    world.w.system().spawn(
        [to = world.at(home).keeper, question, into = answer](caf::event_based_actor* asker) {
          asker->request(to, caf::infinite, question)
              .then([into](const message<schema::Holders>& reply) {
                REQUIRE(reply.root().getCanAsk());
                into->emplace();
                for (const auto& key : reply.root().getKeys()) {
                  (*into)->push_back(array_of<32>(key).value());
                }
              });
        });
  }
  [[nodiscard]] bool has_come() const { return answer->has_value(); }
  [[nodiscard]] bool names(const std::vector<public_key>& keys) const {
    return std::ranges::is_permutation(answer->value(), keys);
  }
  std::shared_ptr<std::optional<std::vector<public_key>>> answer;
};

}  // namespace

// By security §9.6.
TEST_CASE("a home that never gets the weights is not among those that have them") {
  keeper_world world(4);
  const auto weights = some_bytes(1, 70'000);
  const auto blob = *world.at(2).disk->put(weights);
  world.network->disconnect(3);
  const model_rows rows(blob, weights.size(), version_status::committed);
  world.commit(rows.changes, {rows.committed});
  REQUIRE(world.reaches(
      [&] { return world.at(0).disk->have(blob) && world.at(1).disk->have(blob); }, 5'000));
  const auto members = world.members();
  for (const std::size_t asked : {0, 2}) {
    const pending_survey survey(world, asked, blob, weights.size(), 1'000);
    REQUIRE(world.reaches([&] { return survey.has_come(); }, 2'000));
    CHECK(survey.names({members[0], members[1], members[2]}));
  }
  const pending_survey other_size(world, 0, blob, weights.size() + 1, 1'000);
  REQUIRE(world.reaches([&] { return other_size.has_come(); }, 2'000));
  CHECK(other_size.names({}));
}

TEST_CASE("the question ends when all have answered, or when its time is over") {
  keeper_world world(3);
  const auto weights = some_bytes(2, 5'000);
  const auto blob = *world.at(1).disk->put(weights);
  REQUIRE(world.at(2).disk->put(weights));
  const pending_survey late(world, 0, blob_id{{9}}, 100, 1'000);
  world.pass(900);
  CHECK_FALSE(late.has_come());
  CHECK(world.reaches([&] { return late.has_come(); }, 300));
  CHECK(late.names({}));
  const pending_survey soon(world, 0, blob, weights.size(), 9'000);
  CHECK(world.reaches([&] { return soon.has_come(); }, 500));
  CHECK(soon.names({world.members()[1], world.members()[2]}));
}

TEST_CASE("a home that is alone answers at once what it has itself") {
  keeper_world world(1);
  const auto weights = some_bytes(3, 5'000);
  const auto blob = *world.at(0).disk->put(weights);
  const pending_survey here(world, 0, blob, weights.size(), 9'000);
  world.pass(1);
  REQUIRE(here.has_come());
  CHECK(here.names(world.members()));
  const pending_survey other(world, 0, blob_id{{9}}, 5'000, 9'000);
  world.pass(1);
  REQUIRE(other.has_come());
  CHECK(other.names({}));
}

}  // namespace soma::test
