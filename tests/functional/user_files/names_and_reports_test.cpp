// Names may hold any byte, and reports may be lost: what a terminal would obey is never printed,
// and what was done for good is said even when the report of it cannot be written.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/functional/user_files/in_folder.hpp"

using soma::support::finished_program;
using soma::support::is_one_line;
using soma::support::parse_json;
using soma::support::run_program;
using soma::support::run_there;
using soma::support::shell;
using soma::support::soma_user;
using soma::support::write_text;

namespace fs = std::filesystem;

namespace {

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("names are printed without what a terminal obeys, by whatever command") {
  const std::string evil = "i\n\x1b[31m\xff";
  const auto is_tame = [](const finished_program& done) {
    const auto all = done.out + done.err;
    return all.find('\x1b') == all.npos && all.find('\xff') == all.npos;
  };
  const soma_user user, plain;
  struct row {
    std::vector<std::string> words;  // {} stands for the name
    int code = 0;                    // with a plain name
    int evil_code = 0;               // with one of such bytes
  };
  const row rows[] = {
      {{"model", "init", "--arch", "1,4,1,4,64", "-o", "{}.st"}},
      {{"genesis", "new", "--arch", "tiny", "--validator", "{}.key", "-o", "{}.bin"}},
      {{"genesis", "new", "--arch", "tiny", "--validators", "1", "--output-dir", "{}"}},
      {{"genesis", "inspect", "{}.bin"}},
      {{"node", "new-ca", "--ca", "{}.ca"}},
      {{"wallet", "new", "a", "--no-passphrase", "--home", "{}.home"}},
      {{"wallet", "list", "--home", "{}.none"}},
      {{"wallet", "new", "{}"}, 1, 2},
      {{"status", "--ledger", "{}"}, 1, 1},
      {{"config", "show", "--config", "{}"}, 1, 1},
      {{"{}"}, 2, 2},
  };
  for (const auto& [words, code, evil_code] : rows) {
    const auto named = [&](const std::string& name) {
      auto out = words;
      for (auto& word : out) {
        if (word.starts_with("{}")) word = name + word.substr(2);
      }
      return out;
    };
    CAPTURE(words);
    const auto done = run_there(user, named(evil)), tame = run_there(plain, named("plain"));
    CAPTURE(done.err);
    CHECK(is_tame(done));
    CHECK(tame.exit_code == code);
    CHECK(done.exit_code == evil_code);
    // The same number of lines as with a plain name.
    CHECK(lines_of(done.out) == lines_of(tame.out));
    CHECK(lines_of(done.err) == lines_of(tame.err));
  }
}

TEST_CASE(
    "sources of a local network have names of their own, and their tables obey none of them") {
  const soma_user user;
  write_text(user.at("d.txt"), std::string(300'000, 'x'));
  const std::vector<std::string> words{
      "localnet", "--epochs", "3",      "--train-steps", "1", "--submitters", "1",
      "--batch",  "1",        "--arch", "2,32,2,64,128"};
  auto twice = words;
  twice.insert(twice.end(), {"--data", "d=d.txt", "--data", "d=d.txt"});
  const auto refused = run_there(user, twice);
  CHECK(refused.exit_code == 2);
  CHECK(is_one_line(refused.err));
  CHECK(refused.err.find("two sources have the name d") != std::string::npos);
  CHECK_FALSE(fs::exists(user.at(".soma/localnet")));
  auto evil = words;
  evil.insert(evil.end(), {"--data", "a\n\x1b[31m\xff=d.txt"});
  const auto done = run_there(user, evil);
  CAPTURE(done.err);
  CHECK(done.exit_code == 0);
  const auto all = done.out + done.err;
  CHECK(all.find('\x1b') == all.npos);
  CHECK(all.find('\xff') == all.npos);
  CHECK(done.out.find("a  [31m") != std::string::npos);
}

TEST_CASE("what was made is said, although the report of it is lost") {
  const soma_user user;
  const std::string soma = SOMA_BINARY;
  struct row {
    const char* words;
    const char* made;
  };
  for (const auto& [words, made] : {
           row{"wallet new x --no-passphrase", ".soma/keys/x.pem"},
           row{"wallet new y --no-passphrase --json", ".soma/keys/y.pem"},
           row{"node new-ca --ca ca", "ca/ca.pem"},
           row{"node new-cert me --ca ca --out out", "out/me.pem"},
           row{"genesis new --arch tiny --validator v.key -o g.bin", "g.bin"},
           row{"genesis new --arch tiny --validators 1 --output-dir net", "net/genesis.bin"},
           row{"model init --arch 1,4,1,4,64 -o w.st", "w.st"},
       }) {
    CAPTURE(std::string(words));
    const auto done = shell(user, soma + " " + words + " > /dev/full");
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.err.find("cannot write to the standard output, but this is done: made ") !=
          std::string::npos);
    CHECK(done.err.find(made) != std::string::npos);
    CHECK(fs::exists(user.at(made)));
  }
}

TEST_CASE("a command whose folder was removed says that this is the reason") {
  const soma_user user;
  REQUIRE(user.run({"wallet", "new", "a", "--no-passphrase"}).exit_code == 0);
  const auto there = "mkdir gone; cd gone; rmdir ../gone; " + std::string(SOMA_BINARY) + " ";
  for (const auto* words :
       {"verify-epoch 1 --scratch s", "status --ledger l", "model init --arch tiny -o w.st",
        "genesis new --arch tiny --validator v.key -o g.bin", "config show --config c.toml",
        "genesis new --arch tiny --validators 1 --output-dir net", "wallet list --home h",
        "model score --weights w.st --data d.txt", "genesis inspect g.bin"}) {
    CAPTURE(std::string(words));
    const auto done = shell(user, there + words);
    CAPTURE(done.err);
    CHECK(done.exit_code != 0);
    CHECK(is_one_line(done.err));
    CHECK(done.err.find("the folder that the command was started in is gone") != std::string::npos);
  }
  // Whole paths need no such folder.
  const auto listed = shell(user, there + "wallet list --json");
  CAPTURE(listed.err);
  CHECK(listed.exit_code == 0);
  CHECK(shell(user, there + "model init --arch 1,4,1,4,64 -o " + user.at("w.st")).exit_code == 0);
}

TEST_CASE("a benchmark that has no folder for temporary files names the one that it looked for") {
  const soma_user user;
  for (const auto* words : {"bench consensus --processes 1 --rate 10 --seconds 1",
                            "bench consensus --validators 1 --rate 10 --seconds 1"}) {
    CAPTURE(std::string(words));
    const auto done = shell(user, "TMPDIR=/nonexistent " + std::string(SOMA_BINARY) + " " + words);
    CHECK(done.exit_code == 1);
    CHECK(is_one_line(done.err));
    CHECK(done.err.find("/nonexistent") != std::string::npos);
  }
}
