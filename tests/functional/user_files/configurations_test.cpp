// A configuration that does not say what it means is refused with the line that is wrong, and a
// file that cannot be read is never taken for an empty one.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/deploy/soma/binary.hpp"

using soma::support::is_one_line;
using soma::support::soma_user;
using soma::support::write_text;

namespace fs = std::filesystem;

namespace {

struct row {
  std::string toml;
  std::string named;  // a part of the refusal
};

void check_refused(const soma_user& user, const row& one, std::vector<std::string> command) {
  CAPTURE(one.toml.substr(0, 200));
  write_text(user.at("c.toml"), one.toml);
  command.push_back(user.at("c.toml"));
  const auto done = user.run(command);
  CAPTURE(done.err);
  CHECK((done.exit_code == 1 || done.exit_code == 2));
  CHECK(done.out.empty());
  CHECK(is_one_line(done.err));
  CHECK(done.err.find(one.named) != std::string::npos);
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("an option has its own type in a configuration, and a refusal names the line") {
  const soma_user user;
  for (const auto& one : {
           row{"\n\n[model.score]\nseed = '5'", "model.score.seed: line 4: write a whole number"},
           row{"[model.score]\nseed = 5.0", "model.score.seed: line 2: write a whole number"},
           row{"[model.score]\nseed = true", "model.score.seed: line 2"},
           row{"[model.score]\nseed = -1", "model.score.seed: line 2"},
           row{"[model.train]\nforce = 'true'", "model.train.force: line 2: write true or false"},
           row{"[model.train]\nforce = 1", "model.train.force: line 2"},
           row{"[model.train]\noutput = 5", "model.train.output: line 2: write a path"},
           row{"[model.train]\noutput = ['a']", "model.train.output: line 2: it is a list"},
           row{"[model.train]\ndata = ['a',\n5]", "model.train.data: line 3: write a path"},
           row{"[model.train]\nlr = 'x'", "model.train.lr: line 2"},
           row{"[model.train]\nsteps = 99999999999999999999", "line 2"},
           row{"[localnet]\nepochs = 1\nepochs = 2", "line 3"},
           row{"[localnet]\n[localnet]\nepochs = 2", "line 2"},
           row{"x = " + repeated("[", 100'000) + repeated("]", 100'000), "line 1"},
           row{repeated("a.", 300'000) + "b = 1", "line 1: a name has more than 64 parts"},
           row{"\n[" + repeated("a.", 300'000) + "b]", "line 2: a name has more than 64 parts"},
           row{std::string("x = \"a\0b\"", 9), "line 1"},
           row{"[.a]", "a name that no TOML file may have"},
           row{"[[.]]", "a name that no TOML file may have"},
           row{"x = \"\xff\xfe\"", "line 1"},
           row{"\"a\\nb\" = 1", "line 1: there is no such verb"},
           row{repeated("# a comment\n", 100'000), "more than 1.0 MiB"},
       }) {
    check_refused(user, one, {"config", "show", "--config"});
  }
  write_text(user.at("c.toml"),
             "\xef\xbb\xbf[model.score]\r\nseed = 7\r\n[model.train]\r\ndata = 'one'\r\n");
  const auto done = user.run({"config", "show", "--config", user.at("c.toml")});
  CHECK(done.exit_code == 0);
  CHECK(done.out.find("seed = 7") != std::string::npos);
}

TEST_CASE("a configuration that cannot be read is never taken for an empty one") {
  const soma_user user;
  fs::create_directories(user.at(".soma"));
  const auto config = user.at(".soma/config.toml");
  const auto refused = [&] {
    const auto done = user.run({"config", "show"});
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(is_one_line(done.err));
    CHECK(done.err.find("config.toml") != std::string::npos);
    fs::remove(config);
  };
  fs::create_symlink("nowhere", config);
  refused();
  fs::create_directory(config);
  refused();
  REQUIRE(::mkfifo(config.c_str(), 0600) == 0);
  refused();
  fs::create_symlink("/dev/zero", config);
  refused();
  CHECK(user.run({"config", "show"}).exit_code == 0);
}

TEST_CASE("a node's configuration is refused by line, with the nearest name") {
  const soma_user user;
  const std::string validator = "[roles.validator]\ngenesis = 'g'\nkey = 'k'\n";
  for (const auto& one : {
           row{"[roles.validater]",
               "roles.validater: line 1: there is no such role; the nearest "
               "is validator"},
           row{"[node]\nhom = 'x'\n[roles.router]",
               "node.hom: line 2: there is no such name; the "
               "nearest is home"},
           row{"[node]\nhome = 5\n[roles.router]", "node.home: line 2: it is not a text"},
           row{"[node]\nhome = ''\n[roles.router]", "node.home: line 2"},
           row{"node = 5", "line 1"},
           row{"roles = 5", "roles: line 1: it is not a table"},
           row{"[roles]\nrouter = 5", "roles.router: line 2: it is not a table"},
           row{"[[roles.router]]", "roles.router: line 1"},
           row{"[roles.router]\nlisten = '127.0.0.1'", "roles.router.listen: line 2"},
           row{"[roles.router]\nlisten = 7000", "roles.router.listen: line 2"},
           row{"[roles.router]\nat = '127.0.0.1:1'\nlisten = '127.0.0.1:2'",
               "roles.router.listen: line 3: `at` says"},
           row{"[roles.router]\nworkers = 1", "roles.router.workers: line 2"},
           row{"[roles.scorer]\nworkers = 257", "roles.scorer.workers: line 2"},
           row{"[roles.scorer]\nworkers = '1'", "roles.scorer.workers: line 2"},
           row{"[roles.blob_store]\nquota = 'much'", "roles.blob_store.quota: line 2"},
           row{"[tls]\nca = 'ca'\n[roles.router]", "tls: line 1: all of certificate"},
           row{validator + "mesh_ = '1:2'",
               "roles.validator.mesh_: line 4: there is no such name; "
               "the nearest is mesh"},
           row{validator + "peers = 'x'", "roles.validator.peers: line 4: it is not a list"},
           row{validator + "mesh = '127.0.0.1:1'\npeers = [5]", "roles.validator.peers: line 5"},
           row{validator + "block_ms = 0", "roles.validator.block_ms: line 4"},
           row{validator + "block_ms = 500\nidle_ms = 100", "roles.validator.idle_ms: line 5"},
           row{validator + "sync = 'fast'", "roles.validator.sync: line 4"},
           row{validator + "snapshots = 'all'", "roles.validator.snapshots: line 4"},
           row{validator + "trusted_end = '5'", "roles.validator.trusted_end: line 4"},
       }) {
    check_refused(user, one, {"node", "run", "--config"});
  }
}

TEST_CASE("a genesis file is refused by line, with the nearest name, and nothing is made") {
  const soma_user user;
  for (const auto& one : {
           row{"nmae = 'x'", "nmae: line 1: it has no meaning here; the nearest is name"},
           row{"name = 5", "name: line 1: it does not have this form"},
           row{"start_ms = 1700000000", "start_ms: line 1"},
           row{"start_ms = 18446744073709551615", "line 1"},
           row{"parameters = 5", "parameters: line 1"},
           row{"[parameters]\nepoch_mz = 5",
               "parameters.epoch_mz: line 2: there is no parameter "
               "epoch_mz; the nearest is epoch_ms"},
           row{"[parameters]\nepoch_ms = []", "parameters.epoch_ms: line 2"},
           row{"[parameters.epoch_ms]\nx = 1", "parameters.epoch_ms: line 1"},
           row{"[parameters]\nepoch_ms = -5", "parameters.epoch_ms: line 2"},
           row{"accounts = 5", "accounts: line 1"},
           row{"accounts = [5]", "accounts: line 1: each is a table"},
           row{"[[accounts]]\nowner = 'x'\nbalanse = '1'",
               "accounts.balanse: line 3: it has no "
               "meaning here; the nearest is balance"},
           row{"[[accounts]]\nowner = 'x'\nbalance = true", "accounts.balance: line 3"},
           row{"[[accounts]]\nowner = 'x'\nbalance = 'much'", "accounts: line 1"},
           row{"[[validators]]\nstake = 5", "validators: line 1: each needs a key"},
           row{"[[validators]]\nkey = 'new.key'\npublic_key = '0x00'\nstake = 5",
               "validators: line 1: each needs a key"},
           row{"[[validators]]\npublic_key = '0x00'\nstake = 5", "validators: line 1: `0x00` is"},
           row{"[[validators]]\nkey = ''", "validators: line 1"},
       }) {
    check_refused(user, one,
                  {"genesis", "new", "--arch", "tiny", "-o", user.at("g.bin"), "--file"});
  }
  CHECK_FALSE(fs::exists(user.at("g.bin")));
  CHECK_FALSE(fs::exists(user.at("new.key")));
}
