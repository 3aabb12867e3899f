// A proposer that signs false blocks: each lie is found and named, and leaves no trace in the
// state.
#include <doctest/doctest.h>

#include <functional>

#include "actors/replay/chain_replay.hpp"
#include "tests/actors/replay/honest_proposer.hpp"

using namespace soma;
using replay::chain_replay;
using replay::fault;
using proposer = test::honest_proposer;
using test::key_of;

namespace {

struct lie {
  fault found;
  std::function<void(block&)> tell;
};

std::vector<lie> lies_about_headers() {
  const auto header = [](auto change) { return [=](block& b) { change(b.header); }; };
  return {
      {fault::wrong_version, header([](auto& h) { h.version = 2; })},
      {fault::wrong_chain, header([](auto& h) { h.chain.value[3] ^= 1; })},
      {fault::wrong_height, header([](auto& h) { h.height = h.height.next(); })},
      {fault::wrong_epoch, header([](auto& h) { h.epoch = h.epoch.next(); })},
      {fault::wrong_parent, header([](auto& h) { h.parent.value[0] ^= 128; })},
      {fault::wrong_view, header([](auto& h) { ++h.parent_view; })},
      {fault::wrong_view, header([](auto& h) { h.view = h.parent_view; })},
      {fault::no_such_proposer, header([](auto& h) { h.proposer = {1}; })},
      {fault::wrong_transaction_count, header([](auto& h) { ++h.transactions; })},
      {fault::wrong_payload_size, header([](auto& h) { --h.payload_bytes; })},
      {fault::wrong_payload_root, header([](auto& h) { h.payload_root.value[31] ^= 1; })},
      {fault::cannot_follow, header([](auto& h) { h.time_ms -= 30'000; })},
      {fault::cannot_follow, header([](auto& h) { h.peel.value[0] = 1; })},
      {fault::wrong_flags, header([](auto& h) { h.flags ^= block_closes_epoch; })},
      {fault::wrong_flags, header([](auto& h) { h.flags |= block_is_filler; })},
      {fault::wrong_next_committee, header([](auto& h) { h.next_committee.value[5] ^= 1; })},
      {fault::wrong_state_root, header([](auto& h) { h.state_root.value[9] ^= 1; })},
  };
}

std::vector<lie> lies_about_payloads() {
  const auto payload = [](auto change) {
    return [=](block& b) {
      change(b.payload);
      proposer::seal_payload(b);
    };
  };
  const auto seated = [](std::uint16_t seat) {
    return [=](block& b) {
      b.parent_signers.add({seat});
      proposer::seal_payload(b);
    };
  };
  return {
      {fault::wrong_payload_root, [](block& b) { b.parent_signers.add({1}); }},
      {fault::wrong_state_root, payload([](auto& p) { p.pop_back(); })},
      {fault::wrong_state_root, payload([](auto& p) { std::swap(p[0], p[1]); })},
      {fault::wrong_parent_signers, seated(1)},
      {fault::wrong_parent_signers, seated(127)},
      {fault::bad_transaction, payload([](auto& p) { p[1].by_sender[7] ^= 4; })},
      {fault::bad_transaction, payload([](auto& p) { p[0].body[60] ^= 4; })},
      {fault::bad_transaction, payload([](auto& p) { p[0].body.clear(); })},
  };
}

}  // namespace

// Protocol §10.2.
TEST_CASE("every lie that a proposer signs is found and named, and an honest block still follows") {
  proposer honest;
  chain_replay again(honest.genesis, std::make_unique<replay::memory_rows>());
  auto lies = lies_about_headers();
  for (auto& more : lies_about_payloads()) lies.push_back(std::move(more));
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    // Every fourth block closes an epoch.
    const auto block_made =
        honest.next(15'000, {honest.transfer(1'000), honest.transfer(2'000), honest.transfer(3)});
    const auto root = again.root();
    for (std::size_t i = 0; i < lies.size(); ++i) {
      CAPTURE(i);
      block lying = block_made;
      lies[i].tell(lying);
      proposer::seal(lying);
      const auto verdict = again.next(lying);
      REQUIRE_FALSE(verdict.has_value());
      CHECK(to_text(verdict.error().kind) == to_text(lies[i].found));
      CHECK(verdict.error().expected != verdict.error().found);
      REQUIRE(again.root() == root);
    }
    const auto taken = again.next(block_made);
    REQUIRE(taken.has_value());
    CHECK(taken->transactions == 3);
    CHECK(taken->refused == 0);
    CHECK(taken->closes_epoch == (round % 4 == 3));
    CHECK(again.root() == block_made.header.state_root);
  }
  CHECK(again.chain().epoch.value == 3);
}

TEST_CASE(
    "every block but an epoch's first names the signers of its parent, and names them truly") {
  proposer honest;
  chain_replay again(honest.genesis, std::make_unique<replay::memory_rows>());
  for (int round = 0; round < 12; ++round) {  // every fourth block closes an epoch
    CAPTURE(round);
    const bool first = round % 4 == 0;
    const auto made = honest.next(15'000, {honest.transfer(5)});
    CHECK(made.header.view.value == static_cast<std::uint64_t>(round % 4 + 1));
    CHECK(made.parent_signers.empty() == first);
    // The counts of the closing block end with its epoch, so its signers matter for pay alone.
    if (round % 4 != 3) {
      block lying = made;
      lying.parent_signers = {};
      if (first) lying.parent_signers.add({0});
      proposer::seal_payload(lying);
      proposer::seal(lying);
      const auto verdict = again.next(lying);
      REQUIRE_FALSE(verdict.has_value());
      // A block with wrong signers that the rules accept leads to another state root.
      CHECK(verdict.error().kind ==
            (first ? fault::wrong_parent_signers : fault::wrong_state_root));
    }
    REQUIRE(again.next(made).has_value());
  }
}

TEST_CASE("a block with a signature that is not its proposer's is found") {
  proposer honest;
  chain_replay again(honest.genesis, std::make_unique<replay::memory_rows>());
  auto b = honest.next(1'000, {honest.transfer(5)});
  b.by_proposer = signing::sign_block(key_of(77), signing::id_of(b.header));
  const auto verdict = again.next(b);
  REQUIRE_FALSE(verdict.has_value());
  CHECK(verdict.error().kind == fault::bad_proposer_signature);
}

// Protocol §1.6.
TEST_CASE("transactions that the rules refuse are part of a chain like all others") {
  proposer honest;
  chain_replay again(honest.genesis, std::make_unique<replay::memory_rows>());
  const auto b = honest.next(1'000, {honest.transfer(5), honest.transfer(supply_cap.value)});
  const auto taken = again.next(b);
  REQUIRE(taken.has_value());
  CHECK(taken->transactions == 2);
  CHECK(taken->refused == 1);
}
