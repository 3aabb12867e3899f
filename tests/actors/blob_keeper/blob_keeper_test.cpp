#include "actors/blob_keeper/blob_keeper.hpp"

#include "actors/blob_exchange/placement.hpp"
#include "tests/actors/blob_keeper/keeper_world.hpp"

namespace soma::test {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// Sends a request and keeps its answer.
struct pending_fetch {
  pending_fetch(keeper_world& world, std::size_t home, const message<schema::FetchBlobs>& request)
      : self(std::make_shared<std::optional<message<schema::FetchedBlobs>>>()) {
    world.w.system().spawn(
        [to = world.at(home).keeper, request, into = self](caf::event_based_actor* asker) {
          asker->request(to, caf::infinite, request)
              .then([into](const message<schema::FetchedBlobs>& answer) { *into = answer; });
        });
  }
  [[nodiscard]] bool has_come() const { return self->has_value(); }
  [[nodiscard]] std::size_t missing() const { return (*self)->root().getMissing().size(); }
  [[nodiscard]] std::size_t other_size() const { return (*self)->root().getOtherSize().size(); }
  [[nodiscard]] std::size_t not_kept() const { return (*self)->root().getNotKept().size(); }
  std::shared_ptr<std::optional<message<schema::FetchedBlobs>>> self;
};

}  // namespace

// By security §9.4 weights come to every member from their commitment on.
TEST_CASE("weights that one home has come to all homes once the ledger names them") {
  keeper_world world(4);
  const auto weights = some_bytes(1, 70'000);
  const auto blob = *world.at(2).disk->put(weights);
  world.pass(5'000);
  for (const std::size_t i : {0, 1, 3}) CHECK_FALSE(world.at(i).disk->have(blob));
  const model_rows rows(blob, weights.size(), version_status::committed);
  world.commit(rows.changes, {rows.committed});
  CHECK(world.reaches(
      [&] {
        return world.at(0).disk->have(blob) && world.at(1).disk->have(blob) &&
               world.at(3).disk->have(blob);
      },
      5'000));
  for (std::size_t i = 0; i < 4; ++i) CHECK(world.at(i).disk->get(blob) == weights);
  CHECK(world.network->counts().blames.empty());
}

// By security §9.3 a gateway's questions make a home fetch what the ledger names, and nothing else.
TEST_CASE("a request for named blobs alone fetches those, with the size that the ledger says") {
  keeper_world world(2);
  const auto named = some_bytes(7, 60'000), stranger = some_bytes(8, 60'000);
  // Somebody else names it with a wrong size, which comes first.
  const target_rows rows(crypto::blob_id_of(named), named.size(), target_status::settled, 5);
  const target_rows wrong_rows(crypto::blob_id_of(named), 1, target_status::settled, 4);
  world.commit(wrong_rows.changes, {});
  world.commit(rows.changes, {}, true);
  world.pass(1'000);
  const auto blob = *world.at(1).disk->put(named), other = *world.at(1).disk->put(stranger);
  const auto ask = [&](const blob_id& id, std::uint64_t size_bytes) {
    return pending_fetch(world, 0, message<schema::FetchBlobs>::build([&](auto out) {
                           auto list = out.initBlobs(1);
                           list[0].setBlob(data_of(id));
                           list[0].setSizeBytes(size_bytes);
                           out.setWithinMs(20'000);
                           out.setOnlyNamed(true);
                         }));
  };
  for (const std::uint64_t size : {std::uint64_t{0}, stranger.size()}) {
    const auto refused = ask(other, size);
    CHECK(world.reaches([&] { return refused.has_come(); }, 300));  // at once
    CHECK(refused.other_size() == 1);
  }
  CHECK_FALSE(world.at(0).disk->have(other));
  const auto wrong = ask(blob, named.size() + 1);
  CHECK(world.reaches([&] { return wrong.has_come(); }, 300));
  const auto fetched = ask(blob, 0);
  CHECK(world.reaches([&] { return fetched.has_come(); }, 20'000));
  CHECK(fetched.missing() + fetched.other_size() == 0);
  CHECK(world.at(0).disk->have(blob));
}

// By security §9.3 nothing larger than the genesis lets weights or data be is fetched.
TEST_CASE("weights that are larger than those of the network's architecture are not fetched") {
  keeper_world world(2);
  const auto junk = some_bytes(2, 3 * mib);
  const auto blob = *world.at(1).disk->put(junk);
  const model_rows rows(blob, junk.size(), version_status::committed);
  world.commit(rows.changes, {rows.committed});
  world.pass(10'000);
  CHECK_FALSE(world.at(0).disk->have(blob));
}

TEST_CASE("a home that starts anew finds in its ledger what it lacks") {
  keeper_world world(3);
  const auto data = some_bytes(3, 400'000);
  const target_rows rows(crypto::blob_id_of(data), data.size(), target_status::revealed);
  world.commit(rows.changes, {rows.revealed});
  world.pass(3'000);
  world.stop(0);
  const auto blob = *world.at(1).disk->put(data);
  world.start(0);
  CHECK(world.reaches([&] { return world.at(0).disk->have(blob); }, 10'000));
  CHECK(world.at(0).disk->get(blob) == data);
}

// By security §9.4 of data that has won three members keep a copy.
TEST_CASE("data that has won is kept by those members that should, and by no more") {
  keeper_world world(6);
  for (std::uint8_t i = 1; i <= 8; ++i) {
    const auto data = some_bytes(i, 1'000);
    const auto blob = *world.at(0).disk->put(data);
    const target_rows rows(blob, data.size(), target_status::settled, i);
    world.commit(rows.changes, {}, i == 8);
  }
  world.pass(10'000);
  const auto members = world.members();
  for (std::uint8_t i = 1; i <= 8; ++i) {
    const auto blob = crypto::blob_id_of(some_bytes(i, 1'000));
    for (std::size_t home = 1; home < 6; ++home) {
      CAPTURE(static_cast<int>(i));
      CAPTURE(home);
      CHECK(world.at(home).disk->have(blob) == blob_exchange::keeps(members[home], blob, members));
    }
  }
}

TEST_CASE("a request is answered when the blobs are here, and without them when its time is over") {
  keeper_world world(3);
  const auto data = some_bytes(4, 2'000);
  const auto blob = crypto::blob_id_of(data);
  const pending_fetch soon(world, 0, world.request(blob, data.size(), 2'000));
  CHECK(world.reaches([&] { return soon.has_come(); }, 3'000));
  CHECK(soon.missing() == 1);
  const pending_fetch patient(world, 0, world.request(blob, data.size(), 60'000));
  world.pass(5'000);
  CHECK_FALSE(patient.has_come());
  REQUIRE(world.at(2).disk->put(data));
  CHECK(world.reaches([&] { return patient.has_come(); }, 31'000));
  CHECK(patient.missing() == 0);
  CHECK(world.at(0).disk->get(blob) == data);
  const pending_fetch again(world, 0, world.request(blob, data.size(), 60'000));
  world.pass(1);
  CHECK(again.has_come());
}

TEST_CASE("a blob of another size than the ledger says is reported, without fetching it") {
  keeper_world world(2);
  const auto data = some_bytes(5, 900'000);
  const auto blob = *world.at(1).disk->put(data);
  const pending_fetch asked(world, 0, world.request(blob, 1'000, 60'000));
  CHECK(world.reaches([&] { return asked.has_come(); }, 5'000));
  CHECK(asked.missing() == 0);
  CHECK(asked.other_size() == 1);
  CHECK_FALSE(world.at(0).disk->have(blob));
}

// By security §9.3. The attacker's row comes before the honest one in the same block, or commits to
// a model whose weights are the data. Without the attack the same three members get the data.
TEST_CASE(
    "a row that names a blob of another with a wrong size makes nobody judge its size wrong") {
  for (const auto attack : {"none", "reveal", "commit"}) {
    CAPTURE(attack);
    keeper_world world(4);
    const auto data = some_bytes(5, 900);
    const auto blob = *world.at(0).disk->put(data);
    const target_rows honest(blob, data.size(), target_status::revealed, 5);
    const target_rows reveal(blob, 1, target_status::revealed, 4);
    const model_rows commit(blob, 20'000, version_status::committed, 4);
    auto changes = honest.changes;
    std::vector<event> events;
    if (attack == std::string("reveal")) {
      changes.insert(changes.end(), reveal.changes.begin(), reveal.changes.end());
      events.push_back(reveal.revealed);
    }
    if (attack == std::string("commit")) {
      changes.insert(changes.end(), commit.changes.begin(), commit.changes.end());
      events.push_back(commit.committed);
    }
    events.push_back(honest.revealed);
    world.commit(changes, events);
    // What the auditors of the three other members ask for follows the notice of the block.
    std::vector<pending_fetch> true_claim, false_claim;
    for (std::size_t i = 1; i < 4; ++i) {
      true_claim.emplace_back(world, i, world.request(blob, data.size(), 60'000));
      false_claim.emplace_back(world, i, world.request(blob, 1, 60'000));
    }
    const auto has_come = [](const pending_fetch& asked) { return asked.has_come(); };
    CHECK(world.reaches([&] { return std::ranges::all_of(true_claim, has_come); }, 5'000));
    CHECK(world.reaches([&] { return std::ranges::all_of(false_claim, has_come); }, 5'000));
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(true_claim[i].other_size() == 0);
      CHECK(true_claim[i].missing() == 0);
      CHECK(false_claim[i].other_size() == 1);
      CHECK(world.at(i + 1).disk->get(blob) == data);
    }
    // A blob that is here already is compared with each size as well.
    const pending_fetch again(world, 1, world.request(blob, data.size(), 60'000));
    const pending_fetch wrong(world, 1, world.request(blob, 1, 60'000));
    CHECK(world.reaches([&] { return again.has_come() && wrong.has_come(); }, 5'000));
    CHECK(again.other_size() == 0);
    CHECK(wrong.other_size() == 1);
  }
}

// By security §9.5 it is no fault of the submitter.
TEST_CASE(
    "of a blob that is missing it is said whether a peer has it and there is no room for it") {
  keeper_world world(2);
  world.stop(0);
  world.set_quota(1'000);
  world.start(0);
  const auto data = some_bytes(8, 1'500);
  const auto blob = *world.at(1).disk->put(data);
  const pending_fetch large(world, 0, world.request(blob, data.size(), 1'000));
  const pending_fetch unknown(world, 0, world.request(blob_id{{9}}, data.size(), 1'000));
  REQUIRE(world.reaches([&] { return large.has_come() && unknown.has_come(); }, 2'000));
  CHECK(large.missing() == 1);
  CHECK(large.not_kept() == 1);
  CHECK(unknown.missing() == 1);
  CHECK(unknown.not_kept() == 0);
}

/// A member that says to have what it is asked for, and then is silent.
inline idle_validator::behavior_type silent_member(idle_validator::pointer self,
                                                   const validator::peers_actor& peers,
                                                   std::uint64_t size_bytes) {
  self->send(peers, message<schema::HearPeers>::build([](auto out) { out.setOfBlobs(true); }));
  return {[=](const message<schema::FromPeer>& from) {
            if (!from.root().isSent()) return message<schema::Ack>{};
            const auto sent = from.root().getSent();
            const auto asked = decode_frame(sent.getType(), view_of(sent.getBody()));
            if (!asked || !std::holds_alternative<peer::seek>(*asked))
              return message<schema::Ack>{};
            peer::have said;
            for (const auto& blob : std::get<peer::seek>(*asked).blobs) {
              said.blobs.push_back({blob, size_bytes});
            }
            const auto body = encode(peer_message(said));
            self->send(peers, message<schema::ToPeers>::build([&](auto out) {
                         out.initTo(1).set(0, from.root().getPeer());
                         out.setType(frame_type_of(peer_message(said)));
                         out.setBody(data_of(body));
                       }));
            return message<schema::Ack>{};
          },
          [](const message<schema::Wait>&) { return message<schema::Ack>{}; }};
}

// By security §9.3.
TEST_CASE("a silent member does not use up the time of an audit, also where epochs are short") {
  keeper_world world(3, {}, 12'000);
  const auto data = some_bytes(9, 1'500);
  caf::anon_send_exit(world.at(1).keeper, caf::exit_reason::kill);
  world.w.system().spawn(silent_member, world.network->peers_of(1), data.size());
  world.pass(100);
  const auto blob = *world.at(2).disk->put(data);
  // An audit waits a second at a time.
  bool has_come = false;
  for (int attempt = 0; attempt < 4 && !has_come; ++attempt) {
    const pending_fetch asked(world, 0, world.request(blob, data.size(), 1'000));
    REQUIRE(world.reaches([&] { return asked.has_come(); }, 1'200));
    has_come = asked.missing() == 0;
  }
  CHECK(has_come);
}

// By security §9.5.
TEST_CASE("a part that the disk has damaged is found, and fetched again") {
  blob_keeper::blob_keeper_options options;
  options.care.scrub_every_ms = 5'000;
  keeper_world world(2, options);
  const auto data = some_bytes(6, 500'000);
  const auto blob = *world.at(1).disk->put(data);
  const target_rows rows(blob, data.size(), target_status::revealed);
  world.commit(rows.changes, {rows.revealed});
  REQUIRE(world.reaches([&] { return world.at(0).disk->have(blob); }, 5'000));
  world.pass(6'000);
  flip(world.file_of(0, blob), 1'234);
  CHECK(world.reaches([&] { return !world.at(0).notes.empty(); }, 20'000));
  CHECK(world.at(0).notes.front().find("damaged") != std::string::npos);
  CHECK(world.reaches([&] { return world.at(0).disk->have(blob); }, 10'000));
  CHECK(world.at(0).disk->get(blob) == data);
}

// By security §9.5.
TEST_CASE("what the ledger does not name any more is removed after its time, and nothing else") {
  blob_keeper::blob_keeper_options options;
  options.care.collect_every_ms = 1'000;
  options.care.unneeded_ms = 20'000;
  keeper_world world(1, options);
  const auto named = *world.at(0).disk->put(some_bytes(1, 100));
  const auto other = *world.at(0).disk->put(some_bytes(2, 100));
  const auto bad = *world.at(0).disk->put(some_bytes(3, 100));
  const model_rows good_rows(named, 100, version_status::active, 7);
  const model_rows bad_rows(bad, 100, version_status::active, 8);
  world.commit(good_rows.changes, {}, true);
  world.commit(bad_rows.changes, {}, true);
  world.pass(10'000);
  CHECK(world.at(0).disk->have(other));
  world.pass(15'000);
  CHECK_FALSE(world.at(0).disk->have(other));
  CHECK(world.at(0).disk->have(bad));
  world.commit(model_rows(bad, 100, version_status::bad, 8).changes, {}, true);
  world.pass(10'000);
  CHECK(world.at(0).disk->have(bad));
  world.pass(15'000);
  CHECK_FALSE(world.at(0).disk->have(bad));
  CHECK(world.at(0).disk->have(named));
}

}  // namespace soma::test
