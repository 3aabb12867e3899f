// Flags and configurations mean what they say, or are refused in one line that names the fault.
#include <doctest/doctest.h>

#include "tests/deploy/soma/binary.hpp"

using soma::support::is_one_line;
using soma::support::read_text;
using soma::support::soma_user;
using soma::support::write_text;

namespace fs = std::filesystem;

TEST_CASE("a flag takes true or false, and false is false") {
  const soma_user user;
  const auto key = user.at(".soma/keys/robot.pem");
  // Without a terminal and without SOMA_PASSPHRASE there is nothing to lock the key with.
  const auto locked = user.run({"wallet", "new", "robot", "--no-passphrase=false"});
  CHECK(locked.exit_code == 1);
  CHECK(is_one_line(locked.err));
  CHECK_FALSE(fs::exists(key));
  for (const auto* value : {"maybe", "1", "no", ""}) {
    CAPTURE(std::string(value));
    const auto refused =
        user.run({"wallet", "new", "robot", std::string("--no-passphrase=") + value});
    CHECK(refused.exit_code == 2);
    CHECK(is_one_line(refused.err));
    CHECK_FALSE(fs::exists(key));
  }
  // The last of two values counts.
  CHECK(
      user.run({"wallet", "new", "robot", "--no-passphrase", "--no-passphrase=false"}).exit_code ==
      1);
  CHECK_FALSE(fs::exists(key));
  CHECK(user.run({"wallet", "new", "robot", "--no-passphrase=true"}).exit_code == 0);
  CHECK(fs::exists(key));

  const auto weights = user.at("w.safetensors");
  write_text(weights, "mine");
  const auto kept = user.run({"model", "init", "-o", weights, "--force=false"});
  CHECK(kept.exit_code == 1);
  CHECK(is_one_line(kept.err));
  CHECK(read_text(weights) == "mine");
}

TEST_CASE("options that contradict each other are refused, and nothing is made") {
  const soma_user user;
  write_text(user.at("secret"), "correct horse\n");
  const auto both = user.run(
      {"wallet", "new", "robot", "--no-passphrase", "--passphrase-file", user.at("secret")});
  CHECK(both.exit_code == 2);
  CHECK(both.err.find("--no-passphrase and --passphrase-file") != std::string::npos);
  CHECK(is_one_line(both.err));
  CHECK_FALSE(fs::exists(user.at(".soma/keys/robot.pem")));
  // A flag that is off contradicts nothing.
  CHECK(user.run({"wallet", "new", "robot", "--no-passphrase=false", "--passphrase-file",
                  user.at("secret")})
            .exit_code == 0);
}

TEST_CASE("an option with one value may stand before and behind the verb, but only once") {
  const soma_user user;
  for (const auto* option : {"--home", "--config"}) {
    const auto twice = user.run({option, user.at("a"), "wallet", "list", option, user.at("b")});
    CAPTURE(twice.err);
    CHECK(twice.exit_code == 2);
    CHECK(is_one_line(twice.err));
    CHECK(twice.err.find(std::string(option) + ": it is given more than once") !=
          std::string::npos);
  }
  CHECK_FALSE(fs::exists(user.at("a")));
  CHECK_FALSE(fs::exists(user.at("b")));
}

TEST_CASE("a configuration of the wrong shape is refused by name") {
  const soma_user user;
  struct row {
    const char* toml;
    const char* named;  // a part of the refusal
  };
  for (const auto& [toml, named] : {
           row{"model = 5", "configuration's model:"},
           row{"[model]\nscore = 5", "model.score"},
           row{"[model]\nscore = [1, 2]", "model.score"},
           row{"[[model.score]]\nseed = 1", "model.score"},
           row{"[model.score.extra]\nx = 1", "model.score.extra"},
           row{"[model.score.seed]\nx = 1", "model.score.seed"},
           row{"[[model]]", "configuration's model"},
           row{"[localnet]\nepochz = 2",
               "localnet.epochz: line 2: there is no such option; the nearest is "
               "epochs"},
           row{"[localnet.deep.er]\nx = 1", "localnet.deep"},
           row{"localnet = 'x'", "localnet"},
           row{"[modle.train]\nsteps = 1",
               "modle: line 1: there is no such verb or table; the nearest is "
               "model"},
           row{"[model.trian]\nsteps = 1",
               "model.trian: line 1: there is no such verb; the nearest is "
               "model.train"},
           row{"home = 5", "configuration's home"},
           row{"home = ''", "configuration's home"},
           row{"[model.train]\nsteps = 'many'", "model.train.steps"},
           row{"[model.train]\nsteps = [1, 2]", "model.train.steps"},
           row{"[model.train]\nforce = 'perhaps'", "model.train.force"},
           row{"a = = 1", "line 1"},
       }) {
    CAPTURE(std::string(toml));
    const auto config = user.at("c.toml");
    write_text(config, toml);
    const auto done = user.run({"config", "show", "--config", config});
    CAPTURE(done.err);
    CHECK(done.exit_code == 1);
    CHECK(done.out.empty());
    CHECK(is_one_line(done.err));
    CHECK(done.err.find(named) != std::string::npos);
  }
  for (const auto* unreadable : {"no-such-file", "."}) {
    CAPTURE(std::string(unreadable));
    const auto done = user.run({"config", "show", "--config", user.at(unreadable)});
    CHECK(done.exit_code == 1);
    CHECK(is_one_line(done.err));
  }
}
