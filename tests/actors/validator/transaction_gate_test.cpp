#include "actors/validator/transaction_gate.hpp"

#include <doctest/doctest.h>

#include "actors/rules/genesis_state.hpp"
#include "tests/actors/validator/one_validator.hpp"

using namespace soma;
using soma::test::address_of;
using soma::test::key_of;
using soma::test::small_genesis;

namespace {

/// Notes what the gate asks of the other parts.
struct noted_parts final : validator::validator_parts {
  void block_committed(const consensus::final_block&, const rules::effects&,
                       std::uint64_t) override {}
  void equivocation_found(tx::report_equivocation) override {}
  void transactions_arrived(consensus::peer_number, const peer::transactions&) override {}
  void state_asked_for(consensus::peer_number, const peer::ask_state&) override {}
  void peer_gone(consensus::peer_number) override {}
  void batch_is_due() override {}
  void transaction_pooled() override { ++pooled; }
  void batch_begun() override { ++batches; }
  void send_to_all_peers(const peer_message& sent) override {
    passed_on += std::get<peer::transactions>(sent).list.size();
  }
  void misbehaved(consensus::peer_number peer, const std::string&) override {
    blamed.push_back(peer);
  }
  void vote(transaction_kind) override {}
  void notify_operator(const std::string&) override {}

  std::size_t pooled = 0, batches = 0, passed_on = 0;
  std::vector<consensus::peer_number> blamed;
};

/// A gate above an empty chain. No block is executed, so it needs no actor.
struct lone_gate {
  explicit lone_gate(const soma::genesis& birth = small_genesis(),
                     const std::vector<row_change>& more = {}) {
    auto rows = rules::genesis_rows(birth);
    rows.insert(rows.end(), more.begin(), more.end());
    ledger->init(encode(birth), rows);
    executor = std::make_shared<validator::block_executor>(
        nullptr, parts, target_generator::target_generator_actor{}, ledger, birth, key_of(9));
    gate.emplace(parts, *ledger, *executor, birth, key_of(9));
  }
  signed_transaction transfer() {
    return sender.sign(tx::transfer{address_of(2), {1}}, epoch_number{2}).sent;
  }
  /// So many transactions that cannot be read, and then one that can be executed.
  peer::transactions after_nonsense(std::size_t nonsense) {
    peer::transactions made;
    made.list.resize(nonsense);
    made.list.push_back(transfer());
    return made;
  }

  soma::support::scratch_folder folder;
  std::shared_ptr<tables::ledger_store> ledger = std::make_shared<tables::ledger_store>(
      folder / "ledger", tables::ledger_options{1u << 28, false, false});
  soma::wallet::wallet sender{key_of(1), signing::chain_id_of(small_genesis()), 0};
  noted_parts parts;
  std::shared_ptr<validator::block_executor> executor;
  std::optional<validator::transaction_gate> gate;
};

target_id numbered(std::uint8_t number) {
  target_id target;
  target.value[0] = number;
  return target;
}

/// The rows of so many submissions that wait for votes.
std::vector<row_change> revealed(std::uint8_t count) {
  std::vector<row_change> rows;
  for (std::uint8_t i = 0; i < count; ++i) {
    target_row target;
    target.status = target_status::revealed;
    submission_row claim;
    claim.revealed_at = block_height{0};
    rows.push_back({target_key(numbered(i)), encode(target)});
    rows.push_back({submission_key(numbered(i)), encode(claim)});
  }
  return rows;
}

/// Eighteen validators without balances, as an attacker has them.
soma::genesis eighteen_members() {
  auto birth = small_genesis();
  for (std::uint64_t i = 0; i < 18; ++i)
    birth.validators.push_back({key_of(6'000 + i).public_half(), {1'000 * shannons_per_soma}});
  return birth;
}

}  // namespace

// By security §8.1 of the transactions of a peer 4,096 a second are looked at.
TEST_CASE(
    "of what a peer sends in a second 4,096 transactions are looked at, however it sends them") {
  lone_gate g;
  const auto size = [&] { return g.gate->pool().size(); };
  g.gate->take_from_peer(1, g.after_nonsense(4'095), 7'000);
  CHECK(size() == 1);
  // The second is full, until its very end.
  g.gate->take_from_peer(1, g.after_nonsense(0), 7'000);
  g.sender = soma::wallet::wallet(key_of(1), signing::chain_id_of(small_genesis()), 1);
  g.gate->take_from_peer(1, g.after_nonsense(0), 7'999);
  CHECK(size() == 1);
  // Other peers are not affected, and the next second is another one.
  g.sender = soma::wallet::wallet(key_of(1), signing::chain_id_of(small_genesis()), 1);
  g.gate->take_from_peer(2, g.after_nonsense(0), 7'999);
  CHECK(size() == 2);
  g.gate->take_from_peer(1, g.after_nonsense(4'095), 8'000);
  CHECK(size() == 3);
  g.gate->take_from_peer(1, g.after_nonsense(4'096), 9'000);
  CHECK(size() == 3);
}

// By security §8.1 those of peers are not passed on, and what cannot be charged is not kept.
TEST_CASE("transactions of a client are passed on to the peers once, those of a peer never") {
  lone_gate g;
  g.gate->take_from_peer(1, g.after_nonsense(0), 7'000);
  CHECK(g.parts.pooled == 1);
  CHECK(g.parts.batches == 0);
  g.gate->flush();
  CHECK(g.parts.passed_on == 0);
  const auto offer = soma::wallet::offer(g.transfer());
  (void)g.gate->submit(offer.root());
  CHECK(g.parts.pooled == 2);
  CHECK(g.parts.batches == 1);
  g.gate->flush();
  g.gate->flush();
  CHECK(g.parts.passed_on == 1);
  soma::wallet::wallet poor(key_of(77), signing::chain_id_of(small_genesis()), 0);
  peer::transactions unpaid;
  unpaid.list.push_back(poor.sign(tx::transfer{address_of(2), {1}}, epoch_number{2}).sent);
  g.gate->take_from_peer(1, unpaid, 7'000);
  CHECK(g.parts.pooled == 2);
  CHECK(g.gate->pool().size() == 2);
}

// By security §8.3.1 a vote that the pool refuses comes again.
TEST_CASE("what the validator wants to say and its pool refuses is said after the next block") {
  lone_gate g(small_genesis(), revealed(65));
  const auto vote = [&](std::uint8_t number) {
    return g.gate->send_own(tx::vote_on_submission{numbered(number), audit_verdict::ok});
  };
  for (std::uint8_t i = 0; i < 64; ++i) REQUIRE(vote(i));
  CHECK(!vote(64));
  CHECK(g.gate->pool().size() == 64);
  rules::effects done;
  done.chain = *g.ledger->chain();
  const auto row = *g.ledger->view().account(address_of(9));
  done.changes = {{account_key(address_of(9)), encode(account_row{row.balance, row.nonce + 10})}};
  for (const auto& sent : g.gate->pool().next_payload({}, 1u << 20, 10))
    done.outcomes.push_back({signing::id_of(sent), std::nullopt, {}});
  g.gate->block_done(done);
  CHECK(g.gate->pool().size() == 55);
  g.gate->block_done(done);
  CHECK(g.gate->pool().size() <= 55);  // once is enough
}

// By protocol §2.3 and security §8.3. The attack: 18 members with empty accounts sent votes that
// would be refused. They were free, were first in every block and made everybody else's fees a
// thousand times as high within a minute.
TEST_CASE("attack: 18 members without a balance fill no pool with votes about nothing") {
  const auto birth = eighteen_members();
  lone_gate g(birth, revealed(1));
  peer::transactions about_nothing, twice;
  for (std::uint64_t i = 0; i < 18; ++i) {
    soma::wallet::wallet member(key_of(6'000 + i), signing::chain_id_of(birth), 0);
    soma::wallet::wallet other(key_of(6'000 + i), signing::chain_id_of(birth), 0);
    for (std::uint8_t n = 0; n < 64; ++n) {
      about_nothing.list.push_back(
          member.sign(tx::vote_on_submission{numbered(100 + n), audit_verdict::ok}, {1}).sent);
      twice.list.push_back(
          other.sign(tx::vote_on_submission{numbered(0), audit_verdict::ok}, {1}).sent);
    }
  }
  g.gate->take_from_peer(1, about_nothing, 7'000);
  CHECK(g.gate->pool().size() == 0);
  g.gate->take_from_peer(2, twice, 7'000);
  CHECK(g.gate->pool().size() == 18);  // one vote of each: the others would be refused
}

// By security §8.3. The attack: the balance covers 64 base fees, and the first transaction takes it
// away.
TEST_CASE("attack: the pool asks for the amounts and bonds of all that waits of an account") {
  const auto gets_in = [&](const std::function<transaction_kind(std::uint8_t)>& kind) {
    lone_gate fresh;
    peer::transactions all;
    soma::wallet::wallet poor(key_of(2), signing::chain_id_of(small_genesis()), 0);  // has 1 SOMA
    for (std::uint8_t n = 0; n < 64; ++n) all.list.push_back(poor.sign(kind(n), {1}).sent);
    fresh.gate->take_from_peer(1, all, 7'000);
    return fresh.gate->pool().size();
  };
  // After 998,990,000 and its fee there are 11,010 shannons, and each pays 2,000 or a little less.
  CHECK(gets_in([](std::uint8_t n) -> transaction_kind {
          if (n == 0) return tx::transfer{address_of(1), {998'990'000}};
          return tx::leave_committee{};
        }) <= 6);
  // A bond of 65 shannons a byte: 20 of 738,462 bytes take 960,000,000 shannons, 21 too many.
  CHECK(gets_in([](std::uint8_t n) -> transaction_kind {
          return tx::claim_target{numbered(n), {}, 0, 0, 738'462, {}};
        }) == 20);
  CHECK(gets_in([](std::uint8_t) -> transaction_kind { return tx::leave_committee{}; }) == 64);
}

// By security §6.4 and §8.1. The attack: 4,096 wrong signatures a second cost their reader a core
// and their sender nothing.
TEST_CASE(
    "attack: the first wrong signature ends what is read of a peer, and poor senders need none") {
  lone_gate g;
  const auto wrong = [](signed_transaction t) {
    t.by_sender[40] ^= 1;
    return t;
  };
  soma::wallet::wallet poor(key_of(77), signing::chain_id_of(small_genesis()), 0);
  peer::transactions batch;
  // Of a sender without an account the signature is not looked at.
  for (int i = 0; i < 10; ++i)
    batch.list.push_back(wrong(poor.sign(tx::leave_committee{}, epoch_number{1}).sent));
  g.gate->take_from_peer(1, batch, 7'000);
  CHECK(g.parts.blamed.empty());
  const auto good = g.transfer();
  batch.list = {wrong(good), good};
  g.gate->take_from_peer(2, batch, 7'000);
  CHECK(g.parts.blamed == std::vector<consensus::peer_number>{2});
  CHECK(g.gate->pool().size() == 0);
  batch.list = {good};
  g.gate->take_from_peer(3, batch, 7'000);
  CHECK(g.gate->pool().size() == 1);
  // The account has sent a transaction with this nonce: another one is not verified.
  batch.list = {wrong(good)};
  g.gate->take_from_peer(4, batch, 7'000);
  soma::wallet::wallet again(key_of(1), signing::chain_id_of(small_genesis()), 0);
  batch.list = {wrong(again.sign(tx::leave_committee{}, epoch_number{1}).sent)};
  g.gate->take_from_peer(4, batch, 7'000);
  CHECK(g.parts.blamed.size() == 1);
}

// By security §8.3. The attack: a proposer left out the first of each account's transactions. The
// others stopped at the door, and every pool forgot them, since a block contained them.
TEST_CASE("attack: a block that leaves out the first vote of each member erases no other") {
  const auto birth = eighteen_members();
  lone_gate g(birth, revealed(20));
  peer::transactions votes;
  rules::effects done;
  done.chain = *g.ledger->chain();
  for (std::uint64_t i = 0; i < 18; ++i) {
    soma::wallet::wallet member(key_of(6'000 + i), signing::chain_id_of(birth), 0);
    for (std::uint8_t n = 0; n < 20; ++n) {
      const auto vote = member.sign(tx::vote_on_submission{numbered(n), audit_verdict::ok}, {1});
      votes.list.push_back(vote.sent);
      if (n > 0) done.outcomes.push_back({vote.id, rules::refusal::nonce_too_high, {}});
    }
  }
  g.gate->take_from_peer(1, votes, 7'000);
  REQUIRE(g.gate->pool().size() == 360);
  g.gate->block_done(done);
  CHECK(g.gate->pool().size() == 360);  // before: 18
}

// By security §8.3.1.
TEST_CASE("what the validator has said comes again until a block has executed it") {
  lone_gate g(small_genesis(), revealed(1));
  REQUIRE(g.gate->send_own(tx::vote_on_submission{numbered(0), audit_verdict::ok}));
  const auto waiting = [&] { return g.gate->pool().next_payload({}, 1u << 20, 10); };
  rules::effects done;
  done.chain = *g.ledger->chain();
  const auto passed_on_after = [&](std::uint64_t height) {
    done.chain.height = {height};
    g.gate->block_done(done);
    done.outcomes.clear();
    g.gate->flush();
    return g.parts.passed_on;
  };
  CHECK(passed_on_after(3) == 1);
  CHECK(passed_on_after(4) == 2);
  CHECK(passed_on_after(11) == 2);
  CHECK(passed_on_after(12) == 3);
  // It stopped at the door and left the pool: it is said anew at once.
  done.outcomes.push_back(
      {signing::id_of(waiting()[0]), rules::refusal::base_fee_unaffordable, {}});
  CHECK(passed_on_after(13) == 4);
  REQUIRE(waiting().size() == 1);
  done.outcomes.push_back({signing::id_of(waiting()[0]), std::nullopt, {}});
  CHECK(passed_on_after(14) == 4);
  CHECK(passed_on_after(500) == 4);
  CHECK(waiting().empty());
}
