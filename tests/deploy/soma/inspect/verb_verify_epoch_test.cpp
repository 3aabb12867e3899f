// Ledgers made by the test, audited by the real binary.
#include <doctest/doctest.h>

#include "messages/codec/codec.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/actors/replay/honest_proposer.hpp"
#include "tests/deploy/soma/binary.hpp"

namespace soma::support {
namespace {

constexpr std::uint64_t blocks = 14;  // epochs 0 to 2, and two blocks of epoch 3
constexpr std::uint64_t no_lie = 0;

/// Four blocks an epoch. At height `lie` the proposer signs a state root that is not so.
std::string make_ledger(const soma_user& user, std::uint64_t lie) {
  test::honest_proposer proposer;
  tables::ledger_store store(user.at("ledger"));
  store.init(encode(proposer.genesis), rules::genesis_rows(proposer.genesis));
  for (std::uint64_t height = 1; height <= blocks; ++height) {
    auto made = proposer.next(15'000, {proposer.transfer(1'000 + height), proposer.transfer(0)});
    if (height == lie) {
      made.header.state_root.value[4] ^= 1;
      test::honest_proposer::seal(made);
    }
    store.commit_block(made, proposer.result().changes, proposer.result().events);
  }
  return user.at("ledger");
}

}  // namespace

TEST_CASE("an epoch whose blocks hold is verified, and so is every epoch before it") {
  const soma_user user;
  const auto ledger = make_ledger(user, no_lie);
  for (const std::uint64_t epoch : {0u, 1u, 2u}) {
    CAPTURE(epoch);
    auto words = std::vector<std::string>{"verify-epoch", std::to_string(epoch), "--ledger", ledger,
                                          "--json"};
    if (epoch == 1) {
      words.emplace_back("--scratch");
      words.push_back(user.at("scratch"));
    }
    const auto done = user.run(words);
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
    const auto document = parse_json(done.out);
    REQUIRE(document);
    CHECK((*document)["verdict"].text == "holds");
    CHECK((*document)["height"].number() == 4.0 * (epoch + 1.0));
    CHECK((*document)["blocks"].number() == 4.0 * (epoch + 1.0));
    CHECK((*document)["first_height"].number() == 4.0 * epoch + 1);
    CHECK((*document)["refused"].number() == 4.0 * (epoch + 1.0));  // a transfer of nothing
    const tables::ledger_store store(ledger, {std::size_t{1} << 30, true});
    CHECK((*document)["state_root"].text ==
          store.block_at({4 * (epoch + 1)})->header.state_root.text());
  }
  CHECK_FALSE(std::filesystem::exists(user.at("scratch")));
}

TEST_CASE("the first height that does not hold is named, with what it should have been") {
  for (const std::uint64_t lie : {1u, 6u, 8u}) {
    CAPTURE(lie);
    const soma_user user;
    const auto ledger = make_ledger(user, lie);
    const auto done = user.run({"verify-epoch", "2", "--ledger", ledger, "--json"});
    CHECK(done.exit_code == 1);
    CHECK(done.err.find("height " + std::to_string(lie) + " does not hold") != std::string::npos);
    const auto document = parse_json(done.out);
    REQUIRE(document);
    CHECK((*document)["verdict"].text == "differs");
    CHECK((*document)["height"].number() == static_cast<double>(lie));
    CHECK((*document)["blocks"].number() == static_cast<double>(lie - 1));
    CHECK((*document)["difference"]["what"].text == "the state root");
    CHECK((*document)["difference"]["expected"].text != (*document)["difference"]["found"].text);
    // Earlier epochs are none the worse for it.
    if (lie > 4) {
      CHECK(user.run({"verify-epoch", "0", "--ledger", ledger}).exit_code == 0);
    }
  }
}

TEST_CASE("an epoch that is not over, and a scratch folder that is there, are refused") {
  const soma_user user;
  const auto ledger = make_ledger(user, no_lie);
  const auto early = user.run({"verify-epoch", "3", "--ledger", ledger});
  CHECK(early.exit_code == 1);
  CHECK(early.err.find("epoch 3 is not over") != std::string::npos);
  CHECK(early.err.find("height 14") != std::string::npos);
  const auto taken = user.run(
      {"verify-epoch", "1", "--ledger", ledger, "--scratch", user.folder().path().string()});
  CHECK(taken.exit_code == 2);
  CHECK(std::filesystem::exists(user.folder().path()));
  CHECK(user.run({"verify-epoch", "1", "--ledger", user.at("nowhere")}).exit_code != 0);
}

}  // namespace soma::support
