// What the program says is true, and can be acted on: refusals name the file, the reason and the
// remedy; facts lose no digit and no byte on their way into a document.
#include <doctest/doctest.h>

#include <sys/stat.h>

#include "tests/deploy/soma/binary.hpp"
#include "tests/functional/user_files/dated_certificates.hpp"

using soma::support::finished_program;
using soma::support::is_one_line;
using soma::support::parse_json;
using soma::support::read_text;
using soma::support::run_program;
using soma::support::soma_user;
using soma::support::write_text;

namespace fs = std::filesystem;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A refusal that a person can read: one line without the names of types, enums and libraries.
bool is_plain(const finished_program& done) {
  for (const auto* foreign : {"system_error(", "exception", "N4soma", "machine:", "MDB_", "_to_",
                              "filesystem error", "std::"}) {
    if (has(done.err, foreign)) return false;
  }
  return done.exit_code != 0 && done.out.empty() && is_one_line(done.err);
}

/// A cluster of one process, and what else a person may name in place of its three files.
struct cluster_files {
  soma_user user;
  std::string ca = user.at(".soma/ca/ca.pem");
  std::string certificate = user.at(".soma/certificates/me.pem");
  std::string key = user.at(".soma/certificates/me.key");

  cluster_files() {
    REQUIRE(user.run({"node", "new-ca"}).exit_code == 0);
    for (const auto* name : {"me", "other"}) {
      REQUIRE(user.run({"node", "new-cert", name}).exit_code == 0);
    }
    REQUIRE(user.run({"node", "new-ca", "--ca", user.at("ca2")}).exit_code == 0);
    REQUIRE(user.run({"node", "new-cert", "x", "--ca", user.at("ca2"), "--out", user.at("ca2")})
                .exit_code == 0);
  }
  [[nodiscard]] finished_program join(const std::string& with_ca,
                                      const std::string& with_certificate,
                                      const std::string& with_key) const {
    return user.run({"status", "--join", "127.0.0.1:1", "--ca", with_ca, "--certificate",
                     with_certificate, "--certificate-key", with_key});
  }
};

}  // namespace

TEST_CASE("a certificate that cannot be used is refused with its own reason and remedy") {
  const cluster_files cluster;
  const auto at = [&](const std::string& name, std::string_view content) {
    write_text(cluster.user.at(name), std::string(content));
    return cluster.user.at(name);
  };
  const auto& [user, ca, certificate, key] = cluster;
  const auto missing = user.at("missing.pem"), empty = at("empty.pem", ""),
             junk = at("junk.pem", "no certificate at all"),
             cut = at("cut.pem", read_text(certificate).substr(0, 200)),
             large = at("large.pem", std::string(20'000, 'x'));
  const auto authority = at("authority.pem", soma::dated::authority);
  write_text(user.at("phrase"), "secret\n");
  REQUIRE(user.run({"wallet", "new", "locked", "--passphrase-file", user.at("phrase")}).exit_code ==
          0);
  const auto open_key = at("open.key", read_text(key));
  fs::permissions(open_key, fs::perms(0644));
  const auto junk_key = at("junk.key", "no key at all");
  fs::permissions(junk_key, fs::perms(0600));
  struct row {
    std::string ca, certificate, key;
    std::vector<std::string> told;
  };
  const row rows[] = {
      {missing, certificate, key, {missing, "there is no such file", "the ca.pem of the cluster"}},
      {empty, certificate, key, {empty, "holds no certificate", "the ca.pem of the cluster"}},
      {junk, certificate, key, {junk, "holds no certificate"}},
      {large, certificate, key, {large, "more than 16 KiB"}},
      {user.at("ca2"), certificate, key, {user.at("ca2"), "can't be read"}},
      {certificate, certificate, key, {"not that of an authority", "the ca.pem of the cluster"}},
      {ca, missing, key, {missing, "there is no such file", "soma node new-cert"}},
      {ca, empty, key, {empty, "holds no certificate"}},
      {ca, cut, key, {cut, "holds no certificate"}},
      {ca, user.at("ca2/x.pem"), key, {"another authority", "name the other one's ca.pem"}},
      {authority,
       at("old.pem", soma::dated::expired_process),
       key,
       {user.at("old.pem"), "it has expired", "make a new one with `soma node new-cert`"}},
      {authority,
       at("early.pem", soma::dated::early_process),
       key,
       {user.at("early.pem"), "it is not valid yet", "check the clock"}},
      {at("old-ca.pem", soma::dated::expired_authority),
       at("p.pem", soma::dated::process),
       key,
       {user.at("old-ca.pem"), "it has expired", "soma node new-ca"}},
      {authority, user.at("p.pem"), key, {key, "the key of another certificate"}},
      {ca, certificate, missing, {missing, "there is no such file", "beside the certificate"}},
      {ca, certificate, open_key, {"lets others in", "chmod 600 " + open_key}},
      {ca, certificate, junk_key, {junk_key, "holds no key"}},
      {ca, certificate, user.at(".soma/keys/locked.pem"), {"is encrypted", "without a passphrase"}},
      {ca, certificate, user.at(".soma/certificates/other.key"), {"of another certificate"}},
  };
  for (const auto& [with_ca, with_certificate, with_key, told] : rows) {
    const auto done = cluster.join(with_ca, with_certificate, with_key);
    CAPTURE(done.err);
    CHECK(is_plain(done));
    for (const auto& part : told) {
      CAPTURE(part);
      CHECK(has(done.err, part));
    }
    CHECK_FALSE(has(done.err, "ca.key"));
    // All that take a certificate say the same.
    const auto scorer =
        user.run({"scorer", "--join", "127.0.0.1:1", "--blobs", "127.0.0.1:1", "--ca", with_ca,
                  "--certificate", with_certificate, "--key", with_key});
    CHECK(scorer.err == done.err);
  }
}

TEST_CASE("an authority that cannot sign is refused with its own reason") {
  const cluster_files cluster;
  const auto& user = cluster.user;
  const auto made = [&](const std::string& folder) {
    return user.run({"node", "new-cert", "n", "--ca", user.at(folder), "--out", user.at("out")});
  };
  fs::create_directory(user.at("none"));
  CHECK(has(made("none").err, "ca.pem: there is no such file; make an authority with"));
  fs::copy_file(cluster.ca, user.at("none/ca.pem"));
  CHECK(has(made("none").err, "ca.key: there is no such file"));
  write_text(user.at("none/ca.key"), read_text(user.at("ca2/ca.key")));
  fs::permissions(user.at("none/ca.key"), fs::perms(0600));
  CHECK(has(made("none").err, "ca.key: it is the key of another certificate"));
  fs::permissions(user.at("none/ca.key"), fs::perms(0644));
  CHECK(has(made("none").err, "chmod 600"));
  CHECK(is_plain(made("none")));
  CHECK_FALSE(fs::exists(user.at("out")));
}

TEST_CASE("an address that is none is refused everywhere, with how one is written") {
  const soma_user user;
  struct row {
    const char* text;
    const char* why;
  };
  for (const auto& [text, why] :
       {row{"::1:22999", "needs brackets"}, row{"host", "port is missing"},
        row{"host:", "port is missing"}, row{"host:0", "port 0"}, row{"host:65536", "up to 65535"},
        row{":7003", "host is missing"}, row{"ho st:7003", "neither a name nor an address"}}) {
    CAPTURE(std::string(text));
    write_text(user.at("node.toml"), "[roles.router]\nat = \"" + std::string(text) + "\"\n");
    write_text(user.at("peers.toml"),
               "[roles.validator]\ngenesis = 'g'\nkey = 'k'\nmesh = '[::1]:0'\npeers = ['0x" +
                   std::string(64, '1') + "@" + text + "']\n");
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"status", "--join", text},
             {"wallet", "balance", "--join", text},
             {"scorer", "--join", text, "--blobs", "h:1", "--certificate", "c", "--key", "k",
              "--ca", "a"},
             {"scorer", "--blobs", text, "--join", "h:1", "--certificate", "c", "--key", "k",
              "--ca", "a"},
             {"node", "run", "--config", user.at("node.toml")},
             {"node", "run", "--config", user.at("peers.toml")}}) {
      CAPTURE(words);
      const auto done = user.run(words);
      CAPTURE(done.err);
      CHECK(is_plain(done));
      CHECK(has(done.err, why));
      CHECK(has(done.err, "[::1]:7003"));
    }
  }
  const auto open_http = user.run({"status", "--join", "http://host:7003"});
  CHECK(open_http.exit_code == 2);
  CHECK(has(open_http.err, "http:// is for a gateway on this machine alone"));
  const auto bare = user.run({"genesis", "new", "--validators", "1", "--arch", "tiny", "--host",
                              "::1", "--output-dir", user.at("net")});
  CHECK(bare.exit_code == 2);
  CHECK(has(bare.err, "needs brackets"));
  const auto made = user.run({"genesis", "new", "--validators", "1", "--arch", "tiny", "--host",
                              "[::1]", "--output-dir", user.at("net")});
  CAPTURE(made.err);
  REQUIRE(made.exit_code == 0);
  CHECK(has(read_text(user.at("net/validator-1/node.toml")), "\"[::1]:7100\""));
}

TEST_CASE("what libraries say is translated") {
  const cluster_files cluster;
  const auto& user = cluster.user;
  const auto refused = cluster.join(cluster.ca, cluster.certificate, cluster.key);
  CHECK(is_plain(refused));
  CHECK(has(refused.err, "127.0.0.1:1: no process accepts connections there; check that"));
  const auto at_v6 = user.run({"status", "--join", "[::1]:1", "--ca", cluster.ca, "--certificate",
                               cluster.certificate, "--certificate-key", cluster.key});
  CHECK(has(at_v6.err, "[::1]:1: no process accepts connections there; check that"));

  for (const auto* name : {"empty", "junk", "folder", "pipe"}) {
    fs::create_directory(user.at(name));
    const auto data = fs::path(user.at(name)) / "data.mdb";
    if (name == std::string_view("empty")) write_text(data, "");
    if (name == std::string_view("junk")) write_text(data, std::string(20'000, 'x'));
    if (name == std::string_view("folder")) fs::create_directory(data);
    if (name == std::string_view("pipe")) REQUIRE(::mkfifo(data.c_str(), 0600) == 0);
    const auto done =
        run_program(user.folder().path(), soma_user::command({"status", "--ledger", user.at(name)}),
                    std::chrono::seconds(20));
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(is_one_line(done.err));
    CHECK(is_plain(done));
    CHECK_FALSE(has(done.err, "wrong_format"));
    CHECK_FALSE(has(done.err, "Bad file descriptor"));
  }
}

TEST_CASE("numbers keep all digits in every reader, as strings beyond 2^53") {
  using soma::support::parsed_json;
  const soma_user user;
  write_text(user.at("c.toml"), "[model.train]\nseed = 9007199254740993\nsteps = 7\n");
  const auto shown =
      parse_json(user.run({"config", "show", "--json", "--config", user.at("c.toml")}).out);
  REQUIRE(shown);
  const auto& train = (*shown)["model"]["train"];
  CHECK(train["seed"].type == parsed_json::kind::string);
  CHECK(train["seed"].text == "9007199254740993");
  CHECK(train["steps"].type == parsed_json::kind::number);
  // What is shown as TOML can be read again.
  const auto toml = user.run({"config", "show", "--config", user.at("c.toml")});
  CHECK(has(toml.out, "seed = 9007199254740993\n"));

  const auto owner = "0x" + std::string(64, '1');
  REQUIRE(user.run({"genesis", "new", "--validator", user.at("v.key"), "--arch", "tiny",
                    "--account", owner + "=9500000", "--output", user.at("g.bin")})
              .exit_code == 0);
  const auto genesis = parse_json(user.run({"genesis", "inspect", user.at("g.bin"), "--json"}).out);
  REQUIRE(genesis);
  const auto& balance = (*genesis)["accounts"].elements[0]["balance_shannons"];
  CHECK(balance.type == parsed_json::kind::string);
  CHECK(balance.text == "9500000000000000");
}

TEST_CASE("no byte of a file's name is lost in a document") {
  const soma_user user;
  const auto weights = user.at("w\xff.st");
  const auto made =
      parse_json(user.run({"model", "init", "--arch", "1,4,1,4,64", "-o", weights, "--json"}).out);
  REQUIRE(made);
  REQUIRE(fs::exists(weights));
  CHECK(has((*made)["weights_hex"].text, "77ff2e7374"));
  const auto plain = parse_json(
      user.run({"model", "init", "--arch", "1,4,1,4,64", "-o", user.at("ü.st"), "--json"}).out);
  REQUIRE(plain);
  CHECK((*plain)["weights"].text == user.at("ü.st"));
  CHECK_FALSE(plain->has("weights_hex"));
}

TEST_CASE("weights are found through links, as in the cache of a hub") {
  const soma_user user;
  fs::create_directories(user.at("hub/blobs"));
  fs::create_directories(user.at("hub/snapshots/1"));
  REQUIRE(user.run({"model", "init", "--arch", "1,4,1,4,64", "-o", user.at("hub/blobs/4f")})
              .exit_code == 0);
  const auto link = user.at("hub/snapshots/1/model.safetensors");
  fs::create_symlink("../../blobs/4f", link);
  write_text(user.at("d.txt"), std::string(500, 'a') + "some text to learn from");
  const auto scored = [&](const std::string& weights) {
    const auto done =
        user.run({"model", "score", "--weights", weights, "--data", user.at("d.txt"), "--json"});
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
    return (*parse_json(done.out))["digest"].text;
  };
  CHECK(scored(link) == scored(user.at("hub/blobs/4f")));
  const auto trained =
      user.run({"model", "train", "--from", link, "--data", user.at("d.txt"), "--steps", "1",
                "--batch", "1", "--window", "32", "-o", user.at("better.st")});
  CAPTURE(trained.err);
  CHECK(trained.exit_code == 0);
  fs::remove(user.at("hub/blobs/4f"));
  const auto dangling = user.run({"model", "score", "--weights", link, "--data", user.at("d.txt")});
  CHECK(is_plain(dangling));
}

TEST_CASE("a file of the kernel is read, although its size says 0") {
  const soma_user user;
  const auto version = read_text("/proc/version");
  REQUIRE(version.size() > 10);
  const auto weights = user.at("w.st");
  REQUIRE(user.run({"model", "init", "--arch", "1,4,1,4,64", "-o", weights}).exit_code == 0);
  const auto done =
      user.run({"model", "score", "--weights", weights, "--data", "/proc/version", "--json"});
  CAPTURE(done.err);
  REQUIRE(done.exit_code == 0);
  CHECK((*parse_json(done.out))["bytes"].text == std::to_string(version.size()));
  const auto plan = user.run(
      {"model", "score", "--weights", weights, "--data", "/proc/version", "--plan", "--json"});
  CHECK(plan.exit_code == 0);
  // One page says the size, and a few bytes are there.
  CHECK(user.run({"model", "score", "--weights", weights, "--data",
                  "/sys/kernel/mm/transparent_hugepage/enabled"})
            .err.find("changed") == std::string::npos);
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"config", "show", "--config", "/proc/version"},
                                             {"genesis", "inspect", "/proc/version"},
                                             {"verify-proof", "/proc/version"}}) {
    CAPTURE(words);
    const auto refused = user.run(words);
    CAPTURE(refused.err);
    CHECK(is_plain(refused));
    CHECK_FALSE(has(refused.err, "empty"));
  }
}

TEST_CASE("the address of zeros gets no money") {
  const soma_user user;
  const auto zeros = std::string(64, '0');
  for (const auto& owner : {zeros, "0x" + zeros}) {
    const auto done = user.run({"genesis", "new", "--validator", user.at("v.key"), "--arch", "tiny",
                                "--account", owner + "=5", "--output", user.at("g.bin")});
    CAPTURE(done.err);
    CHECK(is_plain(done));
    CHECK(has(done.err, "the address of zeros"));
    CHECK_FALSE(fs::exists(user.at("g.bin")));
  }
}
