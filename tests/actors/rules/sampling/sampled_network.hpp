// A network whose committee is so large that samples audit: members by seat, reveals and votes.
#pragma once

#include "actors/rules/audit.hpp"
#include "tests/actors/rules/network.hpp"

namespace soma::test {

struct sampled_network {
  person owner = somebody(1), alice = somebody(2), mallory = somebody(3);
  network net;
  hash256 reveal_entropy;  // of the block with the latest reveal
  std::uint64_t number = 100;

  /// Members of equal stake, or of the stakes that are given in SOMA.
  explicit sampled_network(std::size_t members, std::vector<std::uint64_t> stakes_soma = {})
      : net(genesis_of(members, std::move(stakes_soma))) {
    (void)net.active_models(owner, 3);
    net.give_fees_to_members(owner);
  }

  [[nodiscard]] std::vector<committee_seat> seats() const {
    return ledger::read_committee(net.state).seats;
  }
  [[nodiscard]] target_status status(const target_id& id) const {
    return ledger::read_target(net.state, id)->status;
  }
  [[nodiscard]] submission_row submission(const target_id& id) const {
    return *ledger::read_submission(net.state, id);
  }
  [[nodiscard]] std::vector<std::uint32_t> draws(const target_id& id) const {
    return rules::draws_by_seat(submission(id), ledger::read_committee(net.state));
  }
  [[nodiscard]] bool calls_all(const target_id& id) const {
    return rules::calls_all(net.genesis.parameters, submission(id),
                            ledger::read_committee(net.state), net.chain_now());
  }

  void send_vote(std::size_t seat, const target_id& target, audit_verdict verdict) {
    net.send(person{seats()[seat].consensus_key}, tx::vote_on_submission{target, verdict});
  }
  rules::refused vote(std::size_t seat, const target_id& target, audit_verdict verdict) {
    send_vote(seat, target, verdict);
    return net.block(1).outcomes.back().reason;
  }
  target_id revealed(const person& who) {
    const auto s = submission_for(net.open_targets().front(), who, number += 10);
    net.send(who, s.claim);
    net.block(1);
    REQUIRE(!net.last.outcomes.back().reason);
    net.send(who, s.reveal);
    net.block(1);
    REQUIRE(!net.last.outcomes.back().reason);
    reveal_entropy = net.chain_now().entropy;
    return s.claim.target;
  }
  target_id revealed() { return revealed(alice); }
  /// A reveal whose seed does not call all members at once, and draws not all of them.
  target_id revealed_for_a_sample() {
    for (int tries = 0; tries < 20; ++tries) {
      const auto id = revealed();
      if (!calls_all(id)) return id;
    }
    FAIL("twenty seeds in a row call all members");
    return {};
  }

 private:
  [[nodiscard]] genesis genesis_of(std::size_t members,
                                   std::vector<std::uint64_t> stakes_soma) const {
    auto genesis = small_genesis(0, std::vector{owner, alice, mallory});
    genesis.parameters.epoch_ms = 24'000;  // the sample has a thousand milliseconds
    genesis.parameters.hits_wanted = 400;
    stakes_soma.resize(members, 1'000);
    for (std::size_t i = 0; i < members; ++i) {
      genesis.validators.push_back(
          {validator_person(3'000 + i).key, {stakes_soma[i] * shannons_per_soma}});
      // A vote that is refused is paid for.
      genesis.accounts.push_back({validator_person(3'000 + i).where(), {shannons_per_soma}});
    }
    return genesis;
  }
};

}  // namespace soma::test
