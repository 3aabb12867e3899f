#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "actors/consensus/solo_agreement.hpp"
#include "messages/crypto/transactions.hpp"

namespace soma::test {
namespace {

using namespace consensus::solo;

struct fixed_payload final : payload_source {
  std::vector<item> items;
  [[nodiscard]] std::vector<item> next_payload(std::size_t, std::size_t) const override {
    return items;
  }
  [[nodiscard]] bool empty() const override { return items.empty(); }
  void fill(std::size_t count) {
    items.clear();
    for (std::size_t i = 0; i < count; ++i) {
      signed_transaction t;
      t.body = bytes(10 + i, 7);
      items.push_back({crypto::id_of(t), t});
    }
  }
};

struct test_signer final : signer {
  crypto::key_pair key = crypto::key_pair::from_seed(std::array<std::uint8_t, 32>{1});
  [[nodiscard]] signature sign_block(const block_id& id) override {
    return crypto::sign_block(key, id);
  }
};

template <class Effect>
const Effect* only(const std::vector<effect>& effects) {
  const Effect* found = nullptr;
  for (const auto& e : effects) {
    if (const auto* it = std::get_if<Effect>(&e)) {
      REQUIRE(found == nullptr);
      found = it;
    }
  }
  return found;
}

struct bench {
  fixed_payload payload;
  test_signer key;
  chain_tip start = [] {
    chain_tip tip;
    tip.time_ms = 1'000;
    tip.epoch_end_ms = 5'000;
    tip.seat = 2;
    return tip;
  }();
  solo_agreement core{
      start, key, payload, {.block_interval_ms = 100, .retry_ms = 50, .max_retry_ms = 200}};
};

TEST_CASE("a block is executed, signed, stored, and only then announced") {
  bench b;
  auto out = b.core.step(started{}, 1'100);
  REQUIRE(only<set_timer>(out));
  CHECK(only<set_timer>(out)->at_ms == 5'000);
  b.payload.fill(3);
  out = b.core.step(transactions_waiting{}, 1'200);
  const auto* run = only<execute_candidate>(out);
  REQUIRE(run);
  const auto& h = run->candidate.header;
  CHECK(h.height.value == 1);
  CHECK(h.view == 1);
  CHECK(h.time_ms == 1'200);
  CHECK(h.transactions == 3);
  CHECK(h.payload_bytes == 10 + 11 + 12 + 3 * 64);
  CHECK(h.payload_root ==
        crypto::payload_root(run->candidate.payload, run->candidate.parent_signers));
  const auto ticket = run->ticket;
  CHECK(b.core.step(transactions_waiting{}, 1'201).empty());
  CHECK(b.core.step(executed{ticket + 1, {}, false, {}, 5'000}, 1'202).empty());
  state_root root;
  root.value[0] = 9;
  out = b.core.step(executed{ticket, root, false, {}, 5'000}, 1'210);
  const auto* persist = only<persist_block>(out);
  REQUIRE(persist);
  CHECK(out.size() == 1);
  CHECK(persist->whole.header.state_root == root);
  CHECK(persist->id == crypto::id_of(persist->whole.header));
  CHECK(crypto::verify_block(b.key.key.public_half(), persist->id, persist->whole.by_proposer));
  CHECK(b.core.tip().height.value == 0);
  const auto id = persist->id;
  out = b.core.step(stored{persist->ticket}, 1'220);
  REQUIRE(only<announce_block>(out));
  CHECK(only<announce_block>(out)->id == id);
  CHECK(only<set_timer>(out)->at_ms == 1'320);
  CHECK(b.core.tip().height.value == 1);
  CHECK(b.core.tip().block == id);
  CHECK(only<set_timer>(b.core.step(transactions_waiting{}, 1'300))->at_ms == 1'320);
  const auto next = b.core.step(timer_fired{}, 1'320);
  REQUIRE(only<execute_candidate>(next));
  const auto& second = only<execute_candidate>(next)->candidate;
  CHECK(second.header.view == 2);
  CHECK(second.header.parent_view == 1);
  CHECK(second.parent_signers.members() == std::vector<std::uint16_t>{2});
}

TEST_CASE(
    "an epoch is closed by an empty block when its time has come, and time grows even if the clock "
    "does not") {
  bench b;
  (void)b.core.step(started{}, 1'100);
  CHECK(!only<execute_candidate>(b.core.step(timer_fired{}, 4'999)));
  auto out = b.core.step(timer_fired{}, 5'000);
  REQUIRE(only<execute_candidate>(out));
  CHECK(only<execute_candidate>(out)->candidate.payload.empty());
  hash256 committee;
  committee.value[0] = 1;
  CHECK(only<execute_candidate>(out)->candidate.header.proposer == 2);
  out = b.core.step(executed{only<execute_candidate>(out)->ticket, {}, true, committee, 10'000, 7},
                    5'001);
  CHECK(only<persist_block>(out)->whole.header.proposer == 2);  // of the epoch that it closes
  CHECK(only<persist_block>(out)->whole.header.flags == block_closes_epoch);
  CHECK(only<persist_block>(out)->whole.header.next_committee == committee);
  (void)b.core.step(stored{only<persist_block>(out)->ticket}, 5'002);
  CHECK(b.core.tip().epoch.value == 1);
  CHECK(b.core.tip().epoch_end_ms == 10'000);
  b.payload.fill(1);
  out = b.core.step(timer_fired{}, 5'102);
  const auto anew = only<execute_candidate>(out)->candidate;
  CHECK(anew.header.proposer == 7);
  CHECK(anew.header.view == 1);
  CHECK(anew.header.parent_view == 0);
  CHECK(anew.parent_signers.empty());
  out = b.core.step(executed{only<execute_candidate>(out)->ticket, {}, false, {}, 10'000}, 5'102);
  (void)b.core.step(stored{only<persist_block>(out)->ticket}, 3'000);
  out = b.core.step(timer_fired{}, 3'100);
  CHECK(only<execute_candidate>(out)->candidate.header.time_ms == 5'103);
}

TEST_CASE("a failed execution is taken up again after pauses that double; a failed store ends it") {
  bench b;
  b.payload.fill(1);
  auto out = b.core.step(started{}, 1'100);
  std::uint64_t now = 1'100;
  for (const std::uint64_t pause : {50u, 100u, 200u, 200u}) {
    REQUIRE(only<execute_candidate>(out));
    out = b.core.step(execution_failed{only<execute_candidate>(out)->ticket}, now);
    CHECK(only<set_timer>(out)->at_ms == now + pause);
    CHECK(!only<execute_candidate>(b.core.step(transactions_waiting{}, now + pause - 1)));
    now += pause;
    out = b.core.step(timer_fired{}, now);
  }
  out = b.core.step(executed{only<execute_candidate>(out)->ticket, {}, false, {}, 5'000}, now);
  const auto ticket = only<persist_block>(out)->ticket;
  CHECK(b.core.step(store_failed{ticket}, now).empty());
  CHECK(!b.core.running());
  CHECK(b.core.step(stored{ticket}, now).empty());
  CHECK(b.core.step(timer_fired{}, 9'000).empty());
  CHECK(b.core.tip().height.value == 0);
}

TEST_CASE(
    "whatever events come in whatever order, announced blocks form one chain of stored blocks") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    bench b;
    std::vector<consensus::solo::event> answers{started{}};
    std::set<block_id> stored_ids;
    block_id last;
    std::uint64_t height = 0;
    std::uint64_t now = 1'000;
    std::map<std::uint64_t, block_id> persisting;
    for (int step = 0; step < 400; ++step) {
      now += random() % 60;
      b.payload.fill(random() % 4);
      consensus::solo::event e = timer_fired{};
      if (!answers.empty() && random() % 2 == 0) e = answers[random() % answers.size()];
      if (random() % 20 == 0) e = stored{random() % 50};
      if (const auto* ack = std::get_if<stored>(&e); ack && persisting.contains(ack->ticket)) {
        stored_ids.insert(persisting[ack->ticket]);
      }
      for (const auto& out : b.core.step(e, now)) {
        if (const auto* run = std::get_if<execute_candidate>(&out)) {
          CHECK(run->candidate.header.parent == last);
          answers.push_back(executed{run->ticket, {}, random() % 5 == 0, {}, now + 1'000});
          if (random() % 4 == 0) answers.push_back(execution_failed{run->ticket});
        }
        if (const auto* put = std::get_if<persist_block>(&out)) {
          persisting[put->ticket] = put->id;
          answers.push_back(stored{put->ticket});
        }
        if (const auto* done = std::get_if<announce_block>(&out)) {
          CHECK(stored_ids.contains(done->id));
          CHECK(done->whole.header.parent == last);
          CHECK(done->whole.header.height.value == ++height);
          last = done->id;
        }
      }
    }
    CHECK(height > 3);
  }
}

}  // namespace
}  // namespace soma::test
