#include <doctest/doctest.h>

#include "actors/scorer/scorer_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "messages/codec/model_entry.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/functional/node_home.hpp"

using namespace soma;
using namespace soma::cluster;
using namespace soma::mesh;
using namespace soma::scorer;
using namespace soma::validator;
using namespace soma::support;

namespace {

void make_genesis(const soma_user& user) {
  const auto made =
      user.run({"genesis", "new", "--validator", user.at("validator.key"), "-o",
                user.at("genesis.bin"), "--arch", "2,16,2,32,32", "--epoch-seconds", "1"});
  REQUIRE_MESSAGE(made.exit_code == 0, made.err);
}

std::string validator_roles(const soma_user& user) {
  return "[roles.model_registry]\n[roles.router]\n[roles.target_generator]\n[roles.validator]\n"
         "listen = \"127.0.0.1:0\"\nblock_ms = 50\ngenesis = \"" +
         user.at("genesis.bin") + "\"\nkey = \"" + user.at("validator.key") + "\"\n";
}

struct chain_state {
  block_height height;
  soma::state_root root;
};

/// The chain as the validator at `address` tells it. Connects anew for each question, as a new
/// client does.
std::optional<chain_state> chain_at(const cluster_identity& me, const std::string& address) {
  cluster_process client(me);
  const auto validator = connect_role<validator_actor>(client.system, *parse_host_port(address));
  if (!validator) return std::nullopt;
  const auto status =
      ask<schema::ChainStatus>(client.system, *validator, message<schema::GetChain>{});
  if (!status) return std::nullopt;
  return chain_state{block_height{(*status)->getHeight()},
                     id_or_zero<soma::state_root>((*status)->getStateRoot())};
}

bool grows_beyond(const cluster_identity& me, const std::string& address, block_height height) {
  return comes_true([&] {
    const auto now = chain_at(me, address);
    return now && now->height > height;
  });
}

}  // namespace

TEST_CASE(
    "a validator uses roles of another machine, and goes on when that comes back from a kill") {
  const soma_user user;
  const operator_ca ca(user.folder() / "ca");
  const auto me = ca.identity("me");
  make_genesis(user);
  node_process a(user, ca, "a"), b(user, ca, "b");
  const auto roles_of_a = [](const std::string& blobs, const std::string& scorer) {
    return "[roles.blob_store]\nlisten = \"" + blobs + "\"\n[roles.scorer]\nlisten = \"" + scorer +
           "\"\n";
  };
  a.write_config(roles_of_a("127.0.0.1:0", "127.0.0.1:0"));
  a.start();
  const auto blobs = a.listens("blob_store"), scorer = a.listens("scorer");
  a.write_config(roles_of_a(blobs, scorer));  // it has to be found at the same address
  b.write_config("[roles.blob_store]\nat = \"tls://" + blobs + "\"\n[roles.scorer]\nat = \"tls://" +
                 scorer + "\"\n" + validator_roles(user));
  b.start();
  const auto validator = b.listens("validator");
  REQUIRE(grows_beyond(me, validator, block_height{1}));

  a.kill();
  REQUIRE(comes_true([&] { return b.process().err().find("trying again") != std::string::npos; }));
  const auto before =
      tables::ledger_store(b.home() / "ledger", {std::size_t{64} << 30U, true}).chain()->height;
  a.start();
  CHECK(a.listens("scorer") == scorer);
  CHECK(grows_beyond(me, validator, before));
  CHECK(b.process().err().find("all roles run again") != std::string::npos);

  for (auto* one : {&b, &a}) {
    one->process().send(SIGINT);
    const auto ended = one->process().wait();
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.find("kept: ") != std::string::npos);
  }
}

TEST_CASE("what a validator told of its chain is there after a kill") {
  const soma_user user;
  const operator_ca ca(user.folder() / "ca");
  const auto me = ca.identity("me");
  make_genesis(user);
  node_process node(user, ca, "node");
  node.write_config("[roles.scorer]\nworkers = 0\n" + validator_roles(user));
  block_height reached{0};
  for (int round = 0; round < 4; ++round) {
    CAPTURE(round);
    node.start();
    const auto address = node.listens("validator");
    REQUIRE(grows_beyond(me, address, reached));
    const auto told = chain_at(me, address);
    REQUIRE(told.has_value());
    node.kill();
    const tables::ledger_store ledger(node.home() / "ledger", {std::size_t{64} << 30U, true});
    REQUIRE(ledger.chain().has_value());
    CHECK(ledger.chain()->height >= told->height);
    const auto block = ledger.block_at(told->height);
    REQUIRE(block.has_value());
    CHECK(block->header.state_root == told->root);
    reached = told->height;
  }
}

TEST_CASE("a node refuses what it cannot run in one line") {
  const soma_user user;
  const operator_ca ca(user.folder() / "ca");
  const node_process node(user, ca, "node");
  const std::pair<std::string, std::string> wrong[] = {
      {"", "names no role"},
      {"[roles.scorer]\n", "the role blob_store is missing"},
      {"[roles.scorer]\nworkers = 0\nwokers = 1\n", "roles.scorer.wokers"},
      {"[roles.scorers]\n", "there is no such role"},
      {"[roles.target_generator]\n", "the role router is missing"},
      {"[roles.router]\nlisten = \"nowhere\"\n", "`nowhere`: the port is missing; write it as"},
      {"[roles.router]\nat = \"tls://h:1\"\nlisten = \"h:1\"\n", "roles.router.listen"},
      {"[roles.scorer]\nworkers = 0\n[roles.model_registry]\n[roles.router]\n"
       "[roles.target_generator]\n[roles.validator]\n",
       "a validator needs a genesis"},
      {"[rules.scorer]\n", "no such verb or table"},
  };
  for (const auto& [roles, why] : wrong) {
    CAPTURE(roles);
    node.write_config(roles);
    const auto ended = user.run({"node", "run", "--config", node.config().string()});
    CHECK(ended.exit_code == 1);
    CHECK_MESSAGE(ended.err.find(why) != std::string::npos, ended.err);
    CHECK(is_one_line(ended.err));
  }
}
