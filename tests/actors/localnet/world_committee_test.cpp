// Real validators, with their actors, rules, keys and disks, in one world whose network and
// processes fail. They agree on one chain, and the chain goes on.
#include <doctest/doctest.h>

#include <set>

#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/localnet/world_committee.hpp"
#include "actors/router/router.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "actors/wallet/wallet.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/support/byte_model.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::execution;
using namespace soma::localnet;
using namespace soma::router;
using namespace soma::scorer;
using namespace soma::validator;
using namespace soma::wallet;

namespace {

constexpr std::uint64_t start_ms = 1'000'000;

crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}
address owner_of(std::uint64_t seed) {
  return crypto::address_of(key_of(seed).public_half());
}

struct told_line {
  std::size_t number = 0;
  std::string line;
};

/// `size` validators of equal stake and a rich account.
struct network {
  network(const std::filesystem::path& folder, std::size_t size, std::uint64_t seed)
      : random(seed), w(1, start_ms), rich(key_of(1), {}, 0) {
    committee_plan plan;
    plan.directory = folder;
    plan.genesis.name = "committee";
    plan.genesis.start_ms = start_ms;
    plan.genesis.parameters.architecture = test::byte_architecture;
    plan.genesis.parameters.epoch_ms = 20'000;
    plan.genesis.accounts = {{owner_of(1), {100 * shannons_per_soma}}};
    for (std::size_t i = 0; i < size; ++i) {
      plan.keys.push_back(key_of(100 + i));
      plan.genesis.validators.push_back(
          {plan.keys.back().public_half(), {5'000 * shannons_per_soma}});
      plan.genesis.accounts.push_back({owner_of(100 + i), {shannons_per_soma}});
    }
    genesis = plan.genesis;
    plan.seed = seed;
    plan.pace.block_ms = 200;
    plan.pace.listen_ms = 1'000;
    plan.ledger_map_bytes = std::size_t{256} << 20;
    plan.new_scorer = [this](std::size_t) {
      return w.system().spawn(scorer_pool, std::vector<scorer_worker_actor>{},
                              scorer_pool_limits{});
    };
    plan.notify_operator = [this](std::size_t number, const std::string& line) {
      told.push_back({number, line});
    };
    rich = soma::wallet::wallet(key_of(1), signing::chain_id_of(genesis), 0);
    auto begun = world_committee::begin(w, std::move(plan));
    REQUIRE(begun.has_value());
    committee = std::move(*begun);
  }

  void pass(std::uint64_t ms) {
    w.run_until([] { return false; }, [] { return false; }, w.now_ms() + ms);
  }
  /// Runs until every validator that is up has so many blocks more than the longest ledger has now.
  [[nodiscard]] bool grows_by(std::uint64_t blocks, std::uint64_t within_ms) {
    const auto wanted = committee->heights().second + blocks;
    const auto end = w.run_until([&] { return committee->heights().first >= wanted; },
                                 [] { return false; }, w.now_ms() + within_ms);
    return end == world::stop_reason::done;
  }
  void send(std::size_t to, const signed_transaction& what) {
    if (committee->at(to).ledger) caf::anon_send(committee->at(to).validator, offer(what));
  }
  /// It may wait for the next two epochs, as any transaction.
  void transfer(std::size_t to, std::uint64_t amount) {
    epoch_number last;
    for (std::size_t i = 0; i < committee->size(); ++i) {
      if (!committee->at(i).ledger) continue;
      last.value = std::max(last.value, committee->at(i).ledger->chain()->epoch.value);
    }
    last.value += 1;
    send(to, rich.sign(tx::transfer{owner_of(2), {amount}}, last).sent);
  }
  [[nodiscard]] shannons balance(std::size_t at, const address& who) {
    const auto account = committee->at(at).ledger->view().account(who);
    return account ? account->balance : shannons{};
  }
  /// All ledgers are one chain, the supply is whole, each block has the ledger's root, and no peer
  /// is blamed.
  void check() {
    CHECK(committee->agree());
    for (std::size_t i = 0; i < committee->size(); ++i) {
      if (!committee->at(i).ledger) continue;
      CAPTURE(i);
      CHECK(ledger::supply_is_whole(ledger_reader(*committee->at(i).ledger)));
    }
    for (const auto& why : committee->network().counts().blames) FAIL_CHECK(why);
    for (const auto& [number, line] : told) {
      CAPTURE(number);
      CHECK_MESSAGE(line.find("ALARM") == std::string::npos, line);
    }
  }

  crypto::seeded_random random;
  std::vector<told_line> told;
  world w;
  soma::wallet::wallet rich;
  soma::genesis genesis;
  std::unique_ptr<world_committee> committee;
};

}  // namespace

TEST_CASE("validators of any number agree, and a transaction sent to one is in the blocks of all") {
  for (const std::size_t size : {2u, 3u, 4u, 7u}) {
    CAPTURE(size);
    const soma::support::scratch_folder folder;
    network n(folder.path(), size, size);
    n.pass(1'000);
    for (std::size_t i = 0; i < 10; ++i) n.transfer(i % size, 1'000);
    REQUIRE(n.grows_by(20, 60'000));
    for (std::size_t i = 0; i < size; ++i) CHECK(n.balance(i, owner_of(2)).value == 10'000);
    REQUIRE(n.grows_by(80, 100'000));  // across epochs
    CHECK(n.committee->at(0).ledger->chain()->epoch.value >= 2);
    n.check();
    // The first block of each epoch has no parent in the agreement of its epoch.
    const auto view = n.committee->at(0).ledger->view();
    for (block_height h{1}; h <= view.height(); h = h.next()) {
      const auto b = view.block_at(h)->header;
      const bool first = *view.first_height(b.epoch) == h;
      CHECK((b.parent_view.value == 0) == first);
      CHECK(b.view > b.parent_view);
    }
  }
}

TEST_CASE(
    "loss, doubled messages, partitions and crashes of one validator at a time cost only time") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    CAPTURE(seed);
    const soma::support::scratch_folder folder;
    network n(folder.path(), 4, seed);
    std::uint64_t sent = 0;
    for (int round = 0; round < 12; ++round) {
      CAPTURE(round);
      network_weather weather;
      weather.delay_max_ms = 5 + static_cast<std::uint32_t>(n.random.below(120));
      weather.lost_ppm = static_cast<std::uint32_t>(n.random.below(100'000));
      weather.doubled_ppm = static_cast<std::uint32_t>(n.random.below(100'000));
      n.committee->network().set_weather(weather);
      std::vector<unsigned> groups(4, 0);
      if (n.random.below(3) == 0) {
        for (auto& g : groups) g = static_cast<unsigned>(n.random.below(2));
      }
      n.committee->network().partition(groups);
      const auto victim = static_cast<std::size_t>(n.random.below(4));
      const bool crashes = n.random.below(2) == 0;
      for (int i = 0; i < 4; ++i) {
        n.transfer(n.random.below(4), 10);
        ++sent;
        n.pass(n.random.below(1'500));
        if (crashes && i == 1) n.committee->crash(victim);
      }
      n.pass(n.random.below(4'000));
      CHECK(n.committee->restart(victim).has_value());
    }
    n.committee->network().partition({0, 0, 0, 0});
    n.committee->network().set_weather({});
    REQUIRE(n.grows_by(15, 240'000));
    n.check();
    CHECK(n.committee->network().counts().lost > 0);
    CHECK(n.committee->network().counts().doubled > 0);
    // A transaction is lost if its validator crashed at once, and later nonces of its sender with
    // it. No transaction comes twice.
    CHECK(n.balance(0, owner_of(2)).value > 0);
    CHECK(n.balance(0, owner_of(2)).value <= sent * 10);
  }
}

TEST_CASE("all crash at once, again and again, and the chain goes on from what is durable") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    CAPTURE(seed);
    const soma::support::scratch_folder folder;
    network n(folder.path(), 4, seed);
    for (int round = 0; round < 5; ++round) {
      CAPTURE(round);
      n.transfer(0, 1);
      n.pass(500 + n.random.below(3'000));
      const auto before = n.committee->heights().second;
      for (std::size_t i = 0; i < 4; ++i) n.committee->crash(i);
      for (std::size_t i = 0; i < 4; ++i) REQUIRE(n.committee->restart(i).has_value());
      CHECK(n.committee->heights().second == before);
      REQUIRE(n.grows_by(3, 120'000));
    }
    n.check();
  }
}

TEST_CASE("a minority does nothing alone, and finds the way back") {
  const soma::support::scratch_folder folder;
  network n(folder.path(), 4, 5);
  n.pass(2'000);
  n.committee->network().partition({0, 0, 1, 1});
  n.pass(2'000);
  const auto before = n.committee->heights().second;
  n.pass(60'000);
  CHECK(n.committee->heights().second == before);
  n.committee->network().partition({0, 0, 0, 1});
  n.pass(90'000);
  const auto [lowest, highest] = n.committee->heights();
  CHECK(highest > before + 10);
  CHECK(lowest <= before);
  n.committee->network().partition({0, 0, 0, 0});
  REQUIRE(n.grows_by(5, 120'000));
  n.check();
}

TEST_CASE("a validator that lost its record follows, says so, and votes again in the next epoch") {
  const soma::support::scratch_folder folder;
  network n(folder.path(), 4, 6);
  n.pass(5'000);
  n.committee->crash(2);
  std::filesystem::remove_all(n.committee->votes_of(2));
  REQUIRE(n.committee->restart(2).has_value());
  const auto may_sign = [&] {
    return n.w.ask<schema::ChainStatus>(n.committee->at(2).validator, message<schema::GetChain>{})
        .root()
        .getSigns();
  };
  n.pass(3'000);
  CHECK_FALSE(may_sign());
  REQUIRE(n.told.size() == 1);
  CHECK(n.told[0].number == 2);
  REQUIRE(n.grows_by(1, 60'000));  // still in the epoch of 20 s
  CHECK_FALSE(may_sign());
  // A crash meanwhile does not end its fence.
  n.committee->crash(2);
  REQUIRE(n.committee->restart(2).has_value());
  n.pass(3'000);
  CHECK_FALSE(may_sign());
  n.pass(45'000);
  CHECK(may_sign());
  REQUIRE(n.grows_by(5, 60'000));
  n.check();
}

TEST_CASE("a peer whose frame announces another kind than it carries is blamed for that by name") {
  const soma::support::scratch_folder folder;
  network n(folder.path(), 4, 60);
  n.pass(3'000);
  const auto& blames = n.committee->network().counts().blames;
  REQUIRE(blames.empty());
  const peer_message said = peer::hello{signing::chain_id_of(n.genesis), {}, {}, 1, {}, false};
  const auto type = frame_type_of(said);
  n.committee->network().inject_frame(2, 0, static_cast<std::uint16_t>(type + 1), encode(said));
  n.pass(100);
  REQUIRE(blames.size() == 1);
  CHECK(blames[0].find(to_text(parse_refusal::another_kind)) != std::string::npos);
  n.committee->network().inject_frame(2, 0, type, encode(said));
  n.pass(100);
  CHECK(blames.size() == 1);
  CHECK(n.grows_by(5, 60'000));
  CHECK(n.committee->agree());
}

TEST_CASE("a validator that contradicts itself is slashed in all ledgers") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    CAPTURE(seed);
    const soma::support::scratch_folder folder;
    network n(folder.path(), 4, 40 + seed);
    n.pass(3'000);
    const std::size_t thief = 1 + seed % 3;
    const auto stake = [&](std::size_t at) {
      return n.committee->at(at).ledger->view().validator(owner_of(100 + thief))->pool.stake.value;
    };
    const auto before = stake(0);
    // A thief signs two votes to finalize with its key, in one view of the present epoch.
    const auto chain = signing::chain_id_of(n.genesis);
    const auto key = key_of(100 + thief);
    const auto status =
        n.w.ask<schema::ChainStatus>(n.committee->at(0).validator, message<schema::GetChain>{});
    const auto seats = ledger::read_committee(ledger_reader(*n.committee->at(0).ledger)).seats;
    const auto seat = ledger::seat_of(seats, owner_of(100 + thief));
    for (const std::uint8_t other : {1, 2}) {
      member_vote vote;
      vote.statement = {vote_kind::finalize,
                        epoch_number{status.root().getEpoch()},
                        {status.root().getView() + 5},
                        block_id{{other}}};
      vote.signer = seat;
      vote.by_signer = signing::sign_vote(key, chain, vote.statement);
      n.committee->network().inject(thief, 0, peer_message{peer::vote{vote}});
    }
    REQUIRE(n.grows_by(20, 60'000));
    for (std::size_t i = 0; i < 4; ++i) CHECK(stake(i) < before);
    CHECK_FALSE(n.told.empty());
    REQUIRE(n.grows_by(150, 200'000));  // without its seat from the next epoch on
    CHECK_FALSE(ledger::find_seat(ledger_reader(*n.committee->at(0).ledger), owner_of(100 + thief))
                    .has_value());
    CHECK(n.committee->agree());
    CHECK(ledger::supply_is_whole(ledger_reader(*n.committee->at(0).ledger)));
  }
}
