// Scenarios 3, 17, 22 and 23 with real validators: their actors, rules, keys and disks.
#include <doctest/doctest.h>

#include <fstream>

#include "actors/execution/execution_tree.hpp"
#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/localnet/world_committee.hpp"
#include "actors/router/router.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "actors/state_sync/snapshot.hpp"
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
using namespace soma::state_sync;
using namespace soma::validator;
using namespace soma::wallet;

namespace {

constexpr std::uint64_t start_ms = 1'000'000;
constexpr std::size_t people = 40;  // accounts with money, numbered from 1

crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}
address owner_of(std::uint64_t seed) {
  return crypto::address_of(key_of(seed).public_half());
}

/// Four validators of equal stake, and accounts that send evidence against them.
struct court {
  court(const std::filesystem::path& folder, std::uint64_t seed, std::uint64_t epoch_ms)
      : w(1, start_ms) {
    committee_plan plan;
    plan.directory = folder;
    plan.genesis.name = "court";
    plan.genesis.start_ms = start_ms;
    plan.genesis.parameters.architecture = test::byte_architecture;
    plan.genesis.parameters.epoch_ms = epoch_ms;
    for (std::size_t i = 1; i <= people; ++i) {
      plan.genesis.accounts.push_back({owner_of(i), {100 * shannons_per_soma}});
    }
    for (std::size_t i = 0; i < 4; ++i) {
      plan.keys.push_back(key_of(100 + i));
      plan.genesis.validators.push_back(
          {plan.keys.back().public_half(), {5'000 * shannons_per_soma}});
      plan.genesis.accounts.push_back({owner_of(100 + i), {shannons_per_soma}});
    }
    genesis = plan.genesis;
    chain = signing::chain_id_of(genesis);
    plan.seed = seed;
    plan.pace.block_ms = 200;
    plan.pace.listen_ms = 1'000;
    plan.ledger_map_bytes = std::size_t{256} << 20;
    plan.new_scorer = [this](std::size_t) {
      return w.system().spawn(scorer_pool, std::vector<scorer_worker_actor>{},
                              scorer_pool_limits{});
    };
    plan.notify_operator = [this](std::size_t, const std::string& line) { told.push_back(line); };
    for (std::size_t i = 1; i <= people; ++i) wallets.emplace_back(key_of(i), chain, 0);
    auto begun = world_committee::begin(w, std::move(plan));
    REQUIRE(begun.has_value());
    committee = std::move(*begun);
  }

  void pass(std::uint64_t ms) {
    w.run_until([] { return false; }, [] { return false; }, w.now_ms() + ms);
  }
  [[nodiscard]] bool until(const std::function<bool()>& done, std::uint64_t within_ms) {
    return w.run_until(
               done, [] { return false; }, w.now_ms() + within_ms) == world::stop_reason::done;
  }
  [[nodiscard]] bool grows_by(std::uint64_t blocks, std::uint64_t within_ms) {
    const auto wanted = committee->heights().second + blocks;
    return until([&] { return committee->heights().first >= wanted; }, within_ms);
  }
  [[nodiscard]] tables::ledger_view view(std::size_t at = 0) const {
    return committee->at(at).ledger->view();
  }
  [[nodiscard]] std::uint64_t stake(std::size_t validator) const {
    return view().validator(owner_of(100 + validator))->pool.stake.value;
  }
  [[nodiscard]] tx::report_equivocation guilt(const crypto::key_pair& key, std::uint64_t epoch,
                                              std::uint64_t view_number) const {
    const vote_statement a{vote_kind::notarize, {epoch}, view_number, block_id{{1}}};
    const vote_statement b{vote_kind::notarize, {epoch}, view_number, block_id{{2}}};
    return {key.public_half(), encode(a), signing::sign_vote(key, chain, a), encode(b),
            signing::sign_vote(key, chain, b)};
  }
  /// The last epoch for a transaction that is signed now.
  [[nodiscard]] epoch_number soon() const { return view().chain()->epoch.next(); }
  /// The account sends the evidence to one of the validators.
  void accuse(std::size_t person, const tx::report_equivocation& what) {
    const auto signed_report = wallets[person - 1].sign(what, soon()).sent;
    caf::anon_send(committee->at(person % 4).validator, offer(signed_report));
  }
  void check() {
    CHECK(committee->agree());
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(ledger::supply_is_whole(ledger_reader(*committee->at(i).ledger)));
    }
  }

  std::vector<std::string> told;
  world w;
  soma::genesis genesis;
  chain_id chain;
  std::vector<soma::wallet::wallet> wallets;
  std::unique_ptr<world_committee> committee;
};

bool closes(const block_header& h) {
  return (h.flags & block_closes_epoch) != 0;
}

bytes file_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return bytes(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

TEST_CASE(
    "scenario 3: a record of votes that was torn, set back in part or cut never votes twice") {
  const soma::support::scratch_folder folder;
  court c(folder.path(), 3, 15'000);
  c.pass(3'000);
  crypto::seeded_random dice(3);
  std::size_t fenced = 0;
  for (std::uint64_t round = 0; round < 8; ++round) {
    CAPTURE(round);
    const std::size_t victim = round % 4;
    const auto file = c.committee->votes_of(victim) / "data.mdb";
    REQUIRE(std::filesystem::exists(file));
    const auto older = file_bytes(file);
    c.pass(700 + dice.below(1'500));
    c.committee->crash(victim);
    auto torn = file_bytes(file);
    REQUIRE(torn.size() >= 8'192);
    switch (round / 2 % 4) {
      case 0:  // some sectors were never written
        for (std::size_t at = 0; at + 512 <= std::min(torn.size(), older.size()); at += 512) {
          if (dice.below(2) == 0) std::copy_n(older.begin() + at, 512, torn.begin() + at);
        }
        break;
      case 1:  // the last pages are missing
        torn.resize(torn.size() - 4'096 * (1 + dice.below(torn.size() / 8'192)));
        break;
      case 2:  // a page has zeros
        std::fill_n(torn.begin() + 4'096 * dice.below(torn.size() / 4'096), 4'096, 0);
        break;
      default:  // the whole table is an older one
        torn = older;
        break;
    }
    std::ofstream(file, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(torn.data()), static_cast<long>(torn.size()));
    const auto lines = c.told.size();
    REQUIRE(c.committee->restart(victim).has_value());
    c.pass(2'500);
    fenced += c.told.size() > lines ? 1 : 0;
    REQUIRE(c.grows_by(3, 120'000));
    c.pass(40'000);  // a fence is over
  }
  CHECK(fenced > 0);
  for (std::size_t i = 0; i < 4; ++i) CHECK(c.stake(i) >= 5'000 * shannons_per_soma);
  c.check();
}

TEST_CASE(
    "scenario 17: by execution and by sync, all doubled: an epoch advances once in the rules") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    CAPTURE(seed);
    const soma::support::scratch_folder folder;
    court c(folder.path(), 70 + seed, 5'000);
    network_weather doubled;
    doubled.doubled_ppm = 1'000'000;
    doubled.delay_max_ms = 40;
    c.committee->network().set_weather(doubled);
    for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
      CAPTURE(epoch);
      const auto end_ms = start_ms + (epoch + 1) * 5'000;
      REQUIRE(c.until([&] { return c.w.now_ms() + 250 >= end_ms; }, 60'000));
      const auto late = (seed + epoch) % 4;
      std::vector<unsigned> groups(4, 0);
      groups[late] = 1;
      c.pass(seed * 150);
      c.committee->network().partition(groups);
      c.pass(4'000);
      c.committee->network().partition({0, 0, 0, 0});
      if (epoch == 2) {  // it has executed the closing block and does not know yet that it is final
        c.committee->crash(late);
        REQUIRE(c.committee->restart(late).has_value());
      }
      REQUIRE(c.grows_by(3, 120'000));
    }
    for (std::size_t i = 0; i < 4; ++i) {
      CAPTURE(i);
      const auto v = c.view(i);
      std::uint64_t ends = 0;
      for (block_height h{1}; h <= v.height(); h = h.next()) {
        const auto header = v.block_at(h)->header;
        REQUIRE(header.epoch.value == ends);
        ends += closes(header) ? 1 : 0;
      }
      CHECK(c.committee->at(i).ledger->chain()->epoch.value == ends);
      CHECK(ends >= 4);
    }
    c.check();
  }
}

TEST_CASE("scenario 22: a ledger in chunks from peers that lie, repeat themselves, or stop") {
  const soma::support::scratch_folder folder;
  court c(folder.path(), 5, 4'000);
  const auto stand_between_epochs = [&](std::uint64_t epochs) {
    return c.until(
        [&] {
          const auto v = c.view();
          if (v.height().value == 0) return false;
          const auto h = v.block_at(v.height())->header;
          return closes(h) && h.epoch.value + 1 >= epochs;
        },
        120'000);
  };
  const auto chunks_now = [&](const char* name) {
    const execution_tree s(*c.committee->at(0).ledger, c.genesis);
    snapshot_folder made(folder.path() / name);
    made.write(c.view(), s.tree(), 250);
    std::vector<bytes> all;
    for (std::uint32_t i = 0; i < made.chunks(); ++i) all.push_back(made.chunk(i).value());
    return all;
  };
  REQUIRE(stand_between_epochs(2));
  const auto stale = chunks_now("stale");
  c.pass(1'000);
  for (std::size_t i = 1; i <= 10; ++i) {
    const auto t = c.wallets[i - 1].sign(tx::transfer{owner_of(2), {5}}, c.soon()).sent;
    caf::anon_send(c.committee->at(0).validator, offer(t));
  }
  REQUIRE(stand_between_epochs(4));
  const auto whole = chunks_now("whole");
  REQUIRE(whole.size() > 5);
  const auto v = c.view();
  const auto closing = v.block_at(v.height())->header;
  const auto staging = folder.path() / "staging";
  snapshot_receiver receiver(staging, closing);
  std::size_t blamed = 0, rounds = 0;
  for (; !receiver.complete(); ++rounds) {
    REQUIRE(rounds < 2 * whole.size());  // a snapshot without an end is not believed
    const auto next = receiver.next();
    // An old snapshot, one that repeats the same chunk, and one that keeps the end back.
    const auto lies = {stale[std::min<std::size_t>(next, stale.size() - 1)],
                       whole[next == 0 ? whole.size() - 1 : next - 1], bytes{}};
    for (const auto& lie : lies) {
      if (lie == whole[next]) continue;
      const auto taken = receiver.take(lie);
      REQUIRE_FALSE(taken.has_value());
      ++blamed;
      REQUIRE(receiver.next() == next);
    }
    REQUIRE(receiver.take(whole[next]).has_value());  // the honest chunk
  }
  CHECK(blamed >= 2 * whole.size());
  CHECK(rounds == whole.size());
  epoch_ends proofs;
  for (const auto e : {closing.epoch.value - 1, closing.epoch.value}) {
    proofs[{e}] = v.epoch_end(epoch_number{e}).value();
  }
  const auto place = folder.path() / "taken";
  REQUIRE(receiver.finish(place, c.genesis, proofs).has_value());
  tables::ledger_store taken(place);
  CHECK(taken.view().height() == v.height());
  const execution_tree again(taken, c.genesis);
  CHECK(again.tree().root() == closing.state_root);
}

TEST_CASE(
    "scenario 23: evidence forged, doubled, mutual, of a stranger, in a flood: one slash each") {
  const soma::support::scratch_folder folder;
  court c(folder.path(), 9, 600'000);
  c.pass(2'000);
  std::vector<std::uint64_t> before;
  for (std::size_t i = 0; i < 4; ++i) before.push_back(c.stake(i));
  const auto forged = [&](auto change) {
    auto what = c.guilt(key_of(103), 0, 3);
    change(what);
    return what;
  };
  c.accuse(1, forged([](auto& r) { r.first_signature[3] ^= 1; }));
  c.accuse(2, forged([](auto& r) { r.second_statement = r.first_statement; }));
  c.accuse(3, forged([](auto& r) { r.signer = key_of(102).public_half(); }));
  c.accuse(4, forged([](auto& r) { r.second_statement.clear(); }));
  c.accuse(5, c.guilt(key_of(1), 0, 3));    // against a validator without a seat
  c.accuse(6, c.guilt(key_of(103), 7, 3));  // in an epoch that does not exist
  REQUIRE(c.grows_by(5, 60'000));
  for (std::size_t i = 0; i < 4; ++i) CHECK(c.stake(i) == before[i]);
  // All accounts send the same evidence, in both orders of its statements, and two validators
  // accuse each other.
  const auto first = c.guilt(key_of(101), 0, 3);
  auto swapped = first;
  std::swap(swapped.first_statement, swapped.second_statement);
  std::swap(swapped.first_signature, swapped.second_signature);
  for (std::size_t i = 7; i <= people; ++i) c.accuse(i, i % 2 == 0 ? first : swapped);
  const auto others = c.guilt(key_of(102), 0, 4);
  for (const auto& [who, what] : {std::pair{101u, others}, std::pair{102u, first}}) {
    soma::wallet::wallet w(key_of(who), c.chain, 0);
    caf::anon_send(c.committee->at(3).validator, offer(w.sign(what, c.soon()).sent));
  }
  const auto height = c.view().height();
  REQUIRE(c.grows_by(10, 60'000));
  CHECK(c.stake(0) == before[0]);
  CHECK(c.stake(3) == before[3]);
  for (const std::size_t guilty : {1, 2}) {
    CAPTURE(guilty);
    CHECK(c.stake(guilty) < before[guilty]);
    CHECK(c.stake(guilty) >= before[guilty] - before[guilty] / 10);  // once, not forty times
  }
  std::uint64_t in_blocks = 0;
  for (auto h = height.next(); h <= c.view().height(); h = h.next()) {
    in_blocks += c.view().block_at(h)->payload.size();
  }
  CHECK(in_blocks <= people);  // evidence that is refused costs its sender
  const auto once = c.stake(1);
  c.accuse(1, first);
  c.accuse(2, swapped);
  REQUIRE(c.grows_by(5, 60'000));
  CHECK(c.stake(1) == once);
  c.check();
}

TEST_CASE("scenario 23: evidence of epochs long past is refused") {
  const soma::support::scratch_folder folder;
  court c(folder.path(), 11, 3'000);
  REQUIRE(c.until([&] { return c.committee->at(0).ledger->chain()->epoch.value >= 5; }, 120'000));
  const auto before = c.stake(1);
  c.accuse(1, c.guilt(key_of(101), 0, 3));
  c.accuse(2, c.guilt(key_of(101), 1, 3));
  REQUIRE(c.grows_by(6, 60'000));
  CHECK(c.stake(1) >= before);
  const auto epoch = c.committee->at(0).ledger->chain()->epoch.value;
  c.accuse(3, c.guilt(key_of(101), epoch, 3));  // fresh evidence counts
  REQUIRE(c.grows_by(6, 60'000));
  CHECK(c.stake(1) < before);
  c.check();
}
