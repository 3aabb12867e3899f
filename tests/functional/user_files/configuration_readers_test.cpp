// What the readers of configurations refuse beyond the type of one value: names that would exhaust
// the stack, settings that exclude each other, and values that every verb must find wrong.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/deploy/soma/binary.hpp"

using soma::support::is_one_line;
using soma::support::parse_json;
using soma::support::run_program;
using soma::support::soma_user;
using soma::support::write_text;

namespace fs = std::filesystem;

namespace {

struct row {
  std::string toml;
  std::string named;  // a part of the refusal
};

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// The last word of the command is the option that takes the configuration.
soma::support::finished_program run_with(const soma_user& user, const std::string& toml,
                                         std::vector<std::string> command) {
  write_text(user.at("c.toml"), toml);
  command.push_back(user.at("c.toml"));
  return user.run(std::move(command));
}

void check_refused(const soma_user& user, const row& one, const std::vector<std::string>& command) {
  CAPTURE(one.toml.substr(0, 200));
  const auto done = run_with(user, one.toml, command);
  CAPTURE(done.err);
  CHECK((done.exit_code == 1 || done.exit_code == 2));
  CHECK(done.out.empty());
  CHECK(is_one_line(done.err));
  CHECK(done.err.size() < 4'000);
  CHECK(done.err.find(one.named) != std::string::npos);
}

const std::vector<std::string> show{"config", "show", "--config"};

/// A public key of a validator, which the digit tells from others.
std::string key_of(char digit) {
  return "0x" + std::string(64, digit);
}

}  // namespace

TEST_CASE("no nesting of tables, lists and names exhausts the stack") {
  const soma_user user;
  const auto deep = repeated("a.", 100'000) + "b";
  const auto some = repeated("a.", 40) + "b";  // allowed once, but not within another
  const std::string refused = "line 1: a name has more than 64 parts";
  for (const auto& one : {
           row{"x = {" + deep + " = 1}", refused},
           row{"x = {\"\\\"\" = 1, " + deep + " = 1}", refused},
           row{"\"\\\"\"." + deep + " = 1", refused},
           row{"'\"'." + deep + " = 1", refused},
           row{"x = {k = \"\"\"q\"\"\"\", " + deep + " = 1}", refused},
           row{"x = {k = '''it's''', " + deep + " = 1}", refused},
           row{some + " = {" + some + " = 1}", refused},
           row{"x = [[{" + some + " = {" + some + " = 1}}]]", refused},
           row{"\n[[" + deep + "]]", "line 2: a name has more than 64 parts"},
           row{"a = '''\n\n'''\nx = {" + deep + " = 1}", "line 4: a name has more than 64 parts"},
           row{repeated("{a = ", 10'000), "line 1"},
           row{"x = " + repeated("{a = ", 10'000), refused},
       }) {
    check_refused(user, one, show);
  }
  // Dots in comments and texts nest nothing.
  const auto dots = repeated(".", 200);
  const auto done = run_with(user,
                             "# " + dots + "\n[model.train]\noutput = '" + dots + "'  # " + dots +
                                 "\nfrom = \"\"\"x\\\"" + dots + "\n" + dots + "\"\"\"\n",
                             show);
  CAPTURE(done.err);
  CHECK(done.exit_code == 0);
  CHECK(done.out.find(dots) != std::string::npos);
}

TEST_CASE("a value that no option can have is refused by its line, and a refusal stays readable") {
  const soma_user user;
  for (const auto& one : {
           row{"[ask]\nseed = 1979-05-27", "line 2: a date or a time has no meaning here"},
           row{"[ask]\n\nnetwork = 07:32:00", "line 3: a date or a time"},
           row{"[roles.scorer]\nx = [1979-05-27T07:32:00Z]", "line 2: a date or a time"},
           row{"[ask]\ntemperature = inf", "line 2: this is not a number"},
           row{"[ask]\ntemperature = -nan", "line 2: this is not a number"},
           row{"[genesis.new]\nstake = 123456789.123456789",
               "genesis.new.stake: line 2: write a text in quotes"},
           row{"[genesis.new]\nset = ['a=1', 2.5]", "genesis.new.set: line 2: write a text"},
           row{"[model.train]\nmax-data = '1MiB'\nmax_data = '2MiB'",
               "model.train.max_data: line 3: it is given twice"},
           row{"[wallet.new]\n\nno_passphrase = true\npassphrase_file = 'p'",
               "wallet.new.no_passphrase: line 3: it contradicts passphrase_file"},
           row{"home = \"a\\u0000b\"", "configuration's home: line 1: it is not the path"},
           row{"[model.train]\noutput = \"a\\u0000b\"", "model.train.output: line 2"},
           row{repeated("m", 900'000) + " = 1", "line 1: there is no such verb or table"},
           row{"[localnet]\narch = '" + repeated("m", 900'000) + "x\"", "line 2"},
           row{"[localnet]\nepochs = '" + repeated("m", 900'000) + "'", "line 2: write a whole"},
       }) {
    check_refused(user, one, show);
  }
  for (const auto& control : {"\\u001b[31m", "\\u009b31m", "\\r", "\\u0007"}) {
    CAPTURE(std::string(control));
    const auto done = run_with(user, "\"" + std::string(control) + "\" = 1", show);
    CHECK(done.exit_code == 1);
    CHECK(is_one_line(done.err));
    for (const auto* raw : {"\x1b", "\xc2\x9b", "\r", "\x07"}) {
      CHECK(done.err.find(raw) == std::string::npos);
    }
  }
  for (const auto* right :
       {"[wallet.new]\nno_passphrase = false\npassphrase_file = 'p'", "[genesis.new]\nstake = 12",
        "[genesis.new]\nstake = '12.5'", "[genesis.new]\nhost = 'one'", "[ask]\ntemperature = 1"}) {
    CAPTURE(std::string(right));
    CHECK(run_with(user, right, show).exit_code == 0);
  }
  // A list without elements gives an option nothing.
  const auto missing =
      run_with(user, "[model.train]\ndata = []\noutput = 'w'", {"model", "train", "--config"});
  CHECK(missing.exit_code == 2);
  CHECK(missing.err.find("model train needs --data") != std::string::npos);
}

TEST_CASE("the home of a configuration is relative to its folder") {
  const soma_user user;
  fs::create_directories(user.at("sub"));
  const auto shown_home = [&](const std::string& home) {
    write_text(user.at("sub/c.toml"), "home = '" + home + "'\n");
    const auto done =
        run_program(user.folder().path(), {"/usr/bin/env", "-u", "SOMA_HOME", SOMA_BINARY, "config",
                                           "show", "--json", "--config", user.at("sub/c.toml")});
    const auto document = parse_json(done.out);
    REQUIRE_MESSAGE(document, done.err);
    return (*document)["home"].text;
  };
  CHECK(shown_home("mine") == user.at("sub/mine"));
  CHECK(shown_home("../mine") == user.at("mine"));
  CHECK(shown_home("/mine") == "/mine");
  CHECK(shown_home("~/mine") == user.at("mine"));
}

TEST_CASE("every verb refuses what is wrong in the tables of a node, and needs no whole node") {
  const soma_user user;
  const std::string mesh = "[roles.validator]\nmesh = '127.0.0.1:1'\n";
  const auto peer = key_of('1') + "@127.0.0.1:2";
  const std::vector<row> wrong{
      {"[tls]\nca = 5", "tls.ca: line 2: it is not a text"},
      {"[tls]\nca = ''", "tls.ca: line 2: it is empty"},
      {"[tls]\nkey = \"a\\u0000b\"", "tls.key: line 2: it holds a zero byte"},
      {"[tls]\ncertficate = 'x'", "tls.certficate: line 2: there is no such name; the nearest is"},
      {"[tls.ca]\nx = 1", "tls.ca: line 1: it is not a text"},
      {"tls = []", "tls: line 1: it is not a table"},
      {"[node]\nhome = ['x']", "node.home: line 2: it is not a text"},
      {"[node.rnu]\nx = 1", "node.rnu: line 1: there is no such name; the nearest is run"},
      {"[roles.validatr]\nat = 'h:1'",
       "roles.validatr: line 1: there is no such role; the nearest"},
      {"[roles.router]\nat = 'h:0'", "roles.router.at: line 2: `h:0`: port 0 stands for any port"},
      {"[roles.router]\nat = ['h:1']", "roles.router.at: line 2: it is not a text"},
      {"[roles.router.deep]\nx = 1", "roles.router.deep: line 1: there is no such name"},
      {"[roles.blob_store]\nat = 'h:1'\nquota = '1GiB'", "roles.blob_store.quota: line 3: `at`"},
      {mesh + "snapshots = true", "roles.validator.snapshots: line 3: it is not a text"},
      {"[roles.validator]\nsnapshots = 'keep'",
       "roles.validator.snapshots: line 2: without a mesh"},
      {"[roles.validator]\ntrusted_end = '5:" + key_of('2') + "'",
       "roles.validator.trusted_end: line 2: it needs sync"},
      {"[roles.validator]\nsync = 'state'",
       "roles.validator.peers: line 1: sync = \"state\" needs"},
      {"[roles.validator]\npeers = ['" + peer + "']", "roles.validator.mesh: line 1: peers need"},
      {mesh + "peers = ['" + peer + "',\n'" + key_of('1') + "@127.0.0.1:3']",
       "roles.validator.peers: line 4: `" + key_of('1') + "@127.0.0.1:3` has the key of another"},
      {mesh + "peers = [\n'0x11@127.0.0.1:3']", "roles.validator.peers: line 4: `0x11"},
      {mesh + "listen = '127.0.0.1:1'", "roles.validator.listen: line 3: it is the address of"},
      {"[roles.router]\nlisten = 'h:5'\n[roles.scorer]\nlisten = 'h:5'",
       "roles.scorer.listen: line 4: it is the address of roles.router.listen"},
  };
  for (const auto& one : wrong) {
    check_refused(user, one, show);
  }
  check_refused(user, wrong.front(), {"status", "--config"});
  check_refused(user, wrong.back(), {"model", "list", "--config"});
  for (const auto& right :
       {std::string("[tls]\nca = 'ca.pem'"), std::string("[roles.validator]\nat = 'tls://h:1'"),
        mesh + "peers = ['" + peer + "']\nsync = 'state'\ntrusted_end = '5:" + key_of('2') + "'",
        std::string("[roles.router]\nlisten = 'h:0'\n[roles.scorer]\nlisten = 'h:0'")}) {
    CAPTURE(right);
    const auto done = run_with(user, right, show);
    CAPTURE(done.err);
    CHECK(done.exit_code == 0);
  }
}

TEST_CASE("a refused genesis file names the line and leaves no keys") {
  const soma_user user;
  const auto account = "[[accounts]]\nowner = '" + key_of('1') + "'\nbalance = ";
  const std::string key = "[[validators]]\nkey = 'new.key'\n";
  for (const auto& one : {
           row{"name = ''\n" + key, "name: line 1: it is empty"},
           row{"name = 'a\tb'\n" + key, "the name is not"},
           row{"[parameters]\nepoch_ms = '60000'", "epoch_ms: line 2: write a whole number"},
           row{"[parameters]\nepoch_ms = true", "epoch_ms: line 2: write a whole number"},
           row{"[parameters]\nepoch_ms = 6e4", "epoch_ms: line 2: write a whole number"},
           row{"[parameters]\ncommittee_size = 5000000000", "committee_size: line 2"},
           row{"[parameters]\narchitecture = 5", "architecture: line 2: write a text"},
           row{"[parameters]\nmin_model_stake = 1.5", "min_model_stake: line 2: write an amount"},
           row{"[parameters]\nmin_model_stake = ''", "min_model_stake: line 2: `` is not"},
           row{account + "1.5", "accounts.balance: line 3: write a text in quotes"},
           row{account + "''", "accounts: line 1: `` is not an amount"},
           row{account + "-1", "accounts: line 1: `-1` is not an amount"},
           row{account + "'10000001'", "accounts: line 1"},
           row{account + "1\n" + account + "2", "accounts: line 4: `" + key_of('1') + "` has"},
           row{"[[accounts]]\nbalance = 1", "accounts: line 1: each needs an owner"},
           row{"[[accounts]]\nowner = ''\nbalance = 1", "accounts: line 1: each needs an owner"},
           row{"[[validators]]\nkey = 5", "validators: line 1: the path of a key is a text"},
           row{"[[validators]]\nkey = \"a\\u0000b\"", "validators: line 1: the path of a key"},
           row{"[[validators]]\nkey = '.'", "cannot use the key"},
           row{key + "stake = ''", "validators: line 1: an amount is missing after stake"},
           row{key + "stake = 0", "validators: line 1: `0` is not an amount"},
           row{key + "stake = '=0'", "validators: line 1: `=0` is not an amount"},
           row{key + key, "validators: line 3: another validator has the same key"},
           row{key + "[[validators]]\nkey = './new.key'", "validators: line 3: another validator"},
           row{key + "[[validators]]\nkeey = 'b'", "validators.keey: line 4"},
           row{key + "stake = 1", "cannot make this genesis"},
       }) {
    check_refused(user, one,
                  {"genesis", "new", "--arch", "tiny", "-o", user.at("g.bin"), "--file"});
    CHECK_FALSE(fs::exists(user.at("new.key")));
  }
  CHECK_FALSE(fs::exists(user.at("g.bin")));
  const auto zero = user.run(
      {"genesis", "new", "--validators", "1", "--stake", "0", "--output-dir", user.at("net")});
  CHECK(zero.exit_code == 2);
  CHECK(is_one_line(zero.err));
  CHECK_FALSE(fs::exists(user.at("net")));
  const auto made = run_with(user, key, {"genesis", "new", "-o", user.at("g.bin"), "--file"});
  CAPTURE(made.err);
  CHECK(made.exit_code == 0);
  CHECK(fs::exists(user.at("new.key")));
}

TEST_CASE("the index of a local network is refused by line, and is never taken for an empty one") {
  const soma_user user;
  const auto network = user.at("network");
  fs::create_directories(network + "/ledger");
  const auto index = network + "/index.toml";
  const auto check = [&](const std::string& named) {
    const auto done = user.run({"ask", "hello", "--network", network});
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.out.empty());
    CHECK(is_one_line(done.err));
    CHECK(done.err.find(named) != std::string::npos);
  };
  const auto id = "\"" + key_of('1') + "\"";
  for (const auto& one : {
           row{"seed = 'x'", "line 1: seed is not a whole number"},
           row{"seed = 1\narchitecture = 5", "line 2: architecture is not a text"},
           row{"state_root = []", "line 1: state_root is not a text"},
           row{"modles = 5", "line 1: there is no such name as modles; the nearest is models"},
           row{"models = 5", "line 1: models is not a table"},
           row{"[models]\nx = 'name'", "line 2: x is not the id of a model"},
           row{"[models]\n" + id + " = 5", "line 2: the name of a model is a text"},
           row{"[models." + id + "]\nx = 5", "line 1: the name of a model is a text"},
           row{"[models]\n\n" + id + " = = 'x'", "line 3"},
       }) {
    CAPTURE(one.toml);
    write_text(index, one.toml);
    check(one.named);
  }
  fs::remove(index);
  fs::create_symlink("nowhere", index);
  check("index.toml");
  fs::remove(index);
  REQUIRE(::mkfifo(index.c_str(), 0600) == 0);
  check("index.toml");
  fs::remove(index);
  fs::create_directory(index);
  check("index.toml");
}
