#include "actors/validator/transaction_gate.hpp"

#include <doctest/doctest.h>

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
  void vote(transaction_kind) override {}
  void notify_operator(const std::string&) override {}

  std::size_t pooled = 0, batches = 0, passed_on = 0;
};

/// A gate above an empty chain. No block is executed, so it needs no actor.
struct lone_gate {
  lone_gate() {
    REQUIRE(validator::open_ledger(*ledger, small_genesis()).has_value());
    executor = std::make_shared<validator::block_executor>(
        nullptr, parts, target_generator::target_generator_actor{}, ledger, small_genesis(),
        key_of(9));
    gate.emplace(parts, *ledger, *executor, small_genesis(), key_of(9));
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
  lone_gate g;
  const auto vote = [&](std::uint8_t number) {
    tx::vote_on_submission kind;
    kind.target.value[0] = number;
    return g.gate->send_own(kind);
  };
  for (std::uint8_t i = 0; i < 64; ++i) REQUIRE(vote(i));
  CHECK(!vote(64));
  CHECK(g.gate->pool().size() == 64);
  rules::effects done;
  done.chain = *g.ledger->chain();
  const auto row = *g.ledger->view().account(address_of(9));
  done.changes = {{account_key(address_of(9)), encode(account_row{row.balance, row.nonce + 10})}};
  g.gate->block_done(done);
  CHECK(g.gate->pool().size() == 55);
  g.gate->block_done(done);
  CHECK(g.gate->pool().size() <= 55);  // once is enough
}
