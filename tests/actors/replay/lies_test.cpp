// A proposer that signs what is not so: each lie is found under its name, and leaves nothing
// behind.
#include <doctest/doctest.h>

#include <functional>

#include "actors/replay/chain_replay.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/rules/queries.hpp"
#include "messages/crypto/transactions.hpp"
#include "messages/types/codec.hpp"

using namespace soma;
using replay::chain_replay;
using replay::fault;

namespace {

crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}
address address_of(std::uint64_t seed) {
  return crypto::address_of(key_of(seed).public_half());
}

constexpr std::uint64_t proposer_seed = 9;

genesis small_genesis() {
  genesis born;
  born.name = "lies";
  born.start_ms = 1'000'000;
  born.parameters.architecture = {1, 64, 1, 64, 64};
  born.parameters.epoch_ms = 60'000;
  born.accounts = {{address_of(1), {100 * shannons_per_soma}},
                   {address_of(2), {shannons_per_soma}}};
  born.validators = {{key_of(proposer_seed).public_half(), {5'000 * shannons_per_soma}}};
  return born;
}

/// Proposes blocks of transfers as an honest proposer would.
class proposer {
 public:
  proposer() : tip_parent_(rules::genesis_parent(rules::chain_id_of(born))) {
    const auto first = rules::genesis_rows(born);
    rows_.apply(first);
    tree_.apply(first);
  }

  signed_transaction transfer(std::uint64_t amount) {
    transaction sent;
    sent.chain = rules::chain_id_of(born);
    sent.sender = key_of(1).public_half();
    sent.nonce = nonce_++;
    sent.expiry = {1'000};
    sent.kind = tx::transfer{address_of(2), {amount}};
    return crypto::sign_transaction(key_of(1), sent);
  }

  block next(std::uint64_t wait_ms, std::vector<signed_transaction> payload) {
    block made;
    const auto tip = rules::read_chain(rows_);
    auto& h = made.header;
    h.chain = rules::chain_id_of(born);
    h.epoch = tip.epoch;
    h.height = tip.height.next();
    h.view = h.height.value;
    h.parent_view = tip.height.value;
    h.parent = tip_parent_;
    h.time_ms = tip.time_ms + wait_ms;
    made.payload = std::move(payload);
    seal_payload(made);

    rules::block_input input{h.height, h.time_ms, h.parent, {address_of(proposer_seed)}, {}};
    for (const auto& sent : made.payload) {
      input.transactions.push_back({crypto::id_of(sent), *crypto::verify(sent),
                                    sent.body.size() + sent.by_sender.size(), std::nullopt});
    }
    const auto result =
        rules::finish(rules::begin_block(input, rows_, rules::active_models(rows_), born), {});
    h.state_root = tree_.apply(result.changes);
    h.flags = result.epoch_closed ? block_closes_epoch : 0;
    if (result.epoch_closed) h.next_committee = rules::committee_hash(result.next_committee);
    rows_.apply(result.changes);
    seal(made);
    tip_parent_ = crypto::id_of(h);
    return made;
  }

  static void seal_payload(block& made) {
    auto& h = made.header;
    h.payload_root = crypto::payload_root(made.payload);
    h.transactions = static_cast<std::uint32_t>(made.payload.size());
    h.payload_bytes = 0;
    for (const auto& sent : made.payload) {
      h.payload_bytes += static_cast<std::uint32_t>(sent.body.size() + sent.by_sender.size());
    }
  }
  static void seal(block& made) {
    made.by_proposer = crypto::sign_block(key_of(proposer_seed), crypto::id_of(made.header));
  }

  genesis born = small_genesis();

 private:
  replay::memory_rows rows_;
  rules::state_tree tree_;
  block_id tip_parent_;
  std::uint64_t nonce_ = 0;
};

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
      {fault::no_such_proposer, header([](auto& h) { h.proposer = 1; })},
      {fault::wrong_transaction_count, header([](auto& h) { ++h.transactions; })},
      {fault::wrong_payload_size, header([](auto& h) { --h.payload_bytes; })},
      {fault::wrong_payload_root, header([](auto& h) { h.payload_root.value[31] ^= 1; })},
      {fault::cannot_follow, header([](auto& h) { h.time_ms -= 30'000; })},
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
  return {
      {fault::wrong_state_root, payload([](auto& p) { p.pop_back(); })},
      {fault::wrong_state_root, payload([](auto& p) { std::swap(p[0], p[1]); })},
      {fault::bad_transaction, payload([](auto& p) { p[1].by_sender[7] ^= 4; })},
      {fault::bad_transaction, payload([](auto& p) { p[0].body[60] ^= 4; })},
      {fault::bad_transaction, payload([](auto& p) { p[0].body.clear(); })},
  };
}

}  // namespace

TEST_CASE("whatever a proposer signs that is not so is named, and an honest block still follows") {
  proposer honest;
  chain_replay again(honest.born, std::make_unique<replay::memory_rows>());
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
      CHECK(to_text(verdict.error().what) == to_text(lies[i].found));
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

TEST_CASE("a block signed by someone who is not its proposer is found") {
  proposer honest;
  chain_replay again(honest.born, std::make_unique<replay::memory_rows>());
  auto b = honest.next(1'000, {honest.transfer(5)});
  b.by_proposer = crypto::sign_block(key_of(77), crypto::id_of(b.header));
  const auto verdict = again.next(b);
  REQUIRE_FALSE(verdict.has_value());
  CHECK(verdict.error().what == fault::bad_proposer_signature);
}

TEST_CASE("transactions that the rules refuse are part of a chain like all others") {
  proposer honest;
  chain_replay again(honest.born, std::make_unique<replay::memory_rows>());
  const auto b = honest.next(1'000, {honest.transfer(5), honest.transfer(supply_cap.value)});
  const auto taken = again.next(b);
  REQUIRE(taken.has_value());
  CHECK(taken->transactions == 2);
  CHECK(taken->refused == 1);
}
