// Validators as real processes. They are killed, lose their data, come late, and are started twice
// with one key, from a copy and from an old backup.
#include <doctest/doctest.h>
#include <signal.h>

#include "actors/validator/validator_actor.hpp"
#include "messages/codec/model_entry.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/functional/cluster.hpp"
#include "tests/functional/validator_network.hpp"

using namespace soma;
using namespace soma::support;

namespace {

namespace fs = std::filesystem;

void copy_home(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

/// The state root that a node has computed is that of the block in another node's ledger.
void check_state_root(const validator_network& net, std::size_t node, std::size_t other) {
  cluster_process client(net.client());
  const auto role =
      cluster::connect_role<validator::validator_actor>(client.system, net.door(node));
  REQUIRE(role);
  const auto now = ask<schema::ChainStatus>(client.system, *role, message<schema::GetChain>{});
  REQUIRE(now);
  const auto height = now->root().getHeight();
  REQUIRE(net.reaches(other, height));
  const tables::ledger_store ledger(net.home(other) / "ledger", {std::size_t{64} << 30U, true});
  const auto block = ledger.block_at(block_height{height});
  REQUIRE(block);
  CHECK(block->header.state_root == id_or_zero<soma::state_root>(now->root().getStateRoot()));
}

/// All ledgers are beginnings of one chain, and all processes end well.
void check_end(validator_network& net) {
  for (std::size_t i = 0; i < net.size(); ++i) CHECK(net.stop(i));
  CHECK(net.fork() == "");
  for (std::size_t i = 0; i < net.size(); ++i) {
    const auto said = net.said_ever(i);
    CHECK_MESSAGE(said.find("ALARM") == said.npos, said);
    CHECK_MESSAGE(said.find("exclude each other") == said.npos, said);
  }
}

}  // namespace

TEST_CASE("three of four go on while any is killed, and a node that begins empty reaches the tip") {
  validator_network net(
      {.binary = SOMA_BINARY, .validators = 4, .followers = 1, .epoch_seconds = 4});
  for (std::size_t i = 0; i < 4; ++i) net.start(i);
  REQUIRE_MESSAGE(net.reaches(0, 3), net.said(0));
  for (std::size_t victim = 0; victim < 4; ++victim) {
    CAPTURE(victim);
    net.kill(victim);
    const auto height = net.greatest_height();
    REQUIRE(net.reaches((victim + 1) % 4, height + 3));
    net.start(victim);
    REQUIRE(net.reaches(victim, height + 3));
  }
  net.start(4);  // it follows from the genesis on
  net.kill(1);
  fs::remove_all(net.home(1) / "ledger");
  net.start(1);
  const auto goal = net.greatest_height() + 3;
  for (std::size_t i = 0; i < net.size(); ++i) {
    CAPTURE(i);
    REQUIRE_MESSAGE(net.reaches(i, goal), net.said(i));
  }
  check_state_root(net, 4, 0);
  check_state_root(net, 1, 2);
  CHECK(net.signing_state(4) == "no seat");
  CHECK(comes_true([&] { return net.signing_state(1) == "member"; }));  // when that epoch is over
  check_end(net);
}

TEST_CASE("two processes with one key never both vote, nor does one that forgot what it said") {
  validator_network net(
      {.binary = SOMA_BINARY,
       .validators = 4,
       .pace = "block_ms = 50\nidle_ms = 200\nview_timeout_ms = 500\nlisten_ms = 2000\n"});
  net.start_all();
  REQUIRE_MESSAGE(net.reaches(0, 3), net.said(0));
  const auto run_again = [&](const fs::path& config) {
    return run_program(net.folder().path(),
                       {SOMA_BINARY, "node", "run", "--config", config.string()});
  };

  const auto same_home = run_again(net.config(0));
  CHECK(same_home.exit_code == 1);
  CHECK_MESSAGE(is_one_line(same_home.err), same_home.err);
  CHECK(same_home.err.find("another process uses it") != std::string::npos);

  const auto copy = net.folder() / "copy";
  net.kill(0);
  copy_home(net.home(0), copy);
  net.start(0);
  REQUIRE(comes_true([&] { return net.signing_state(0) == "member"; }));
  net.add_copy(0, copy);

  const auto its_own = read_text(copy / "node.toml");
  const auto record = fs::directory_iterator(net.home(0) / "validator.votes")->path();
  write_text(copy / "node.toml", its_own + "votes = \"" + record.string() + "\"\n");
  const auto same_record = run_again(net.config(4));
  CHECK(same_record.exit_code == 1);
  CHECK_MESSAGE(is_one_line(same_record.err), same_record.err);
  CHECK(same_record.err.find("two nodes with one key") != std::string::npos);

  write_text(copy / "node.toml", its_own);
  net.start(4);  // a whole copy with the voting record
  const bool is_fenced =
      comes_true([&] { return net.signing_state(4) == "fenced"; }, std::chrono::seconds(20));
  REQUIRE_MESSAGE(is_fenced, net.signing_state(4) << " at " << net.height(4) << " of "
                                                  << net.height(0) << ": " << net.said(4));
  CHECK(net.signing_state(0) == "member");
  const auto height = net.greatest_height();
  REQUIRE(net.reaches(0, height + 5));
  CHECK(net.signing_state(4) == "fenced");
  net.kill(4);

  fs::remove_all(copy / "validator.votes");
  net.start(4);
  REQUIRE(comes_true([&] { return net.signing_state(4) == "fenced"; }));
  CHECK(net.said(4).find("--first-start") != std::string::npos);
  net.kill(4);

  check_end(net);
}
