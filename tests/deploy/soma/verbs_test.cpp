#include <doctest/doctest.h>

#include <regex>

#include "tests/deploy/soma/binary.hpp"

using soma::support::is_one_line;
using soma::support::parse_json;
using soma::support::soma_user;

namespace {

// The verbs that --help lists, groups resolved: {"model", "init"}, …
std::vector<std::vector<std::string>> listed_verbs(const soma_user& user,
                                                   std::vector<std::string> below = {}) {
  auto words = below;
  words.emplace_back("--help");
  const auto help = user.run(words);
  REQUIRE(help.exit_code == 0);
  const auto start = help.out.find("Subcommands:\n");
  if (start == std::string::npos) return {below};
  std::vector<std::vector<std::string>> all;
  for (auto at = help.out.find('\n', start) + 1; help.out.compare(at, 2, "  ") == 0;
       at = help.out.find('\n', at) + 1) {
    if (help.out[at + 2] == ' ') continue;
    auto deeper = below;
    deeper.push_back(help.out.substr(at + 2, help.out.find_first_of(" \n", at + 2) - at - 2));
    for (auto& verb : listed_verbs(user, deeper)) all.push_back(std::move(verb));
  }
  return all;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

TEST_CASE(
    "every verb explains itself with an example of its own and knows --json, --home and --config") {
  const soma_user user;
  const auto verbs = listed_verbs(user);
  CHECK(verbs.size() >= 6);
  for (auto words : verbs) {
    const auto name = joined(words);
    CAPTURE(name);
    words.emplace_back("--help");
    const auto help = user.run(words);
    CHECK(help.exit_code == 0);
    CHECK(help.err.empty());
    CHECK(help.out.find("Example:\n  soma " + name) != std::string::npos);
    for (const auto* option : {"--json", "--home", "--config"}) {
      CAPTURE(option);
      CHECK(help.out.find(option) != std::string::npos);
    }
  }
}

TEST_CASE("wrong usage ends with 2 and one line that points at the help") {
  const soma_user user;
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"bogus"},
      {"model"},
      {"model", "bogus"},
      {"model", "init"},
      {"model", "init", "--bogus"},
      {"model", "init", "-o", user.at("w"), "--seed", "seven"},
      {"model", "init", "-o", user.at("w"), "--arch", "huge"},
      {"model", "init", "-o", user.at("w"), "--arch", "4,64,3,256,256"},
      {"model", "init", "-o"},
      {"model", "score", "--weights", "a", "--data", "b", "--engine", "guess"},
      {"model", "score", "--weights", "a", "--data", "b", "--threads", "0"},
      {"model", "init", "-o", "a", "-o", "b"},
      {"node", "new-cert"},
      {"bench", "route", "--models", "0"},
      {"bench", "route", "--seconds", "-1"},
      {"bench", "route", "--threads", "257"},
  };
  for (const auto& words : wrong) {
    const auto name = joined(words);
    CAPTURE(name);
    const auto done = user.run(words);
    CHECK(done.exit_code == 2);
    CHECK(done.out.empty());
    CAPTURE(done.err);
    CHECK(is_one_line(done.err));
    CHECK(done.err.starts_with("soma: "));
  }
  CHECK(!std::filesystem::exists(user.at("w")));
}

TEST_CASE("a benchmark prints ours, the peer and their ratio, as a table and as one document") {
  const soma_user user;
  const std::vector<std::string> words{"bench", "route",     "--models", "100",       "--dim",
                                       "33",    "--threads", "2",        "--seconds", "0.1"};
  const auto table = user.run(words);
  CHECK(table.exit_code == 0);
  CHECK(table.out.find("peer / ours") != std::string::npos);
  CHECK(table.out.find("64 points x 100 x 33") != std::string::npos);
  auto as_json = words;
  as_json.emplace_back("--json");
  const auto done = user.run(as_json);
  CHECK(done.exit_code == 0);
  REQUIRE(is_one_line(done.out));
  const auto document = parse_json(done.out);
  REQUIRE(document.has_value());
  REQUIRE((*document)["rows"].elements.size() == 6);
  for (const auto& row : (*document)["rows"].elements) {
    const double ours = row["ours_seconds"].number();
    const double peer = row["peer_seconds"].number();
    CHECK(ours > 0);
    CHECK(peer > 0);
    CHECK(row["ratio"].number() == doctest::Approx(peer / ours));
    CHECK(row["ours_rate"].number() == doctest::Approx(row["work"].number() / ours));
  }
}

TEST_CASE("--version says one line with the commit, a full disk is told") {
  const soma_user user;
  const auto version = user.run({"--version"});
  CHECK(version.exit_code == 0);
  CHECK(version.out.starts_with("soma 0.1.0"));
  CHECK(is_one_line(version.out));
  if (std::filesystem::exists(std::filesystem::path(SOMA_SOURCE) / ".git")) {
    const std::regex with_commit(R"(soma 0\.1\.0 \([0-9a-f]{10}(-dirty)?\)\n)");
    CHECK(std::regex_match(version.out, with_commit));
  }
  const auto full = soma::support::run_program(
      user.folder().path(),
      {"/bin/sh", "-c", std::string(SOMA_BINARY) + " config show > /dev/full"});
  CHECK(full.exit_code == 1);
  CHECK(full.err == "soma: stopped: cannot write to the standard output\n");
}

TEST_CASE("options stand in a configuration; the command line wins; mistakes are named") {
  const soma_user user;
  const auto config = user.at("c.toml");
  soma::support::write_text(config,
                            "home = '/somewhere'\n[model.train]\nsteps = 77\nmax_data = '2MiB'\n");
  const auto shown = user.run({"config", "show", "--json", "--config", config});
  REQUIRE(shown.exit_code == 0);
  const auto document = parse_json(shown.out);
  REQUIRE(document);
  CHECK((*document)["model"]["train"]["steps"].text == "77");
  CHECK((*document)["model"]["train"]["max_data"].text == "2097152");
  CHECK((*document)["home"].text == user.at(".soma"));  // SOMA_HOME comes before the file
  CHECK(parse_json(user.run({"config", "show", "--json", "--home", "/h"}).out)
            ->members.at("home")
            .text == "/h");

  // What is shown can be read again and says the same.
  const auto toml = user.run({"config", "show", "--config", config});
  soma::support::write_text(user.at("d.toml"), toml.out);
  CHECK(user.run({"config", "show", "--json", "--config", user.at("d.toml")}).out == shown.out);

  std::filesystem::create_directories(user.at(".soma"));
  soma::support::write_text(user.at(".soma/config.toml"), "[model.init]\narch = '2,32,2,64,64'\n");
  const auto made = user.run({"model", "init", "-o", user.at("w"), "--json"});
  CAPTURE(made.err);
  REQUIRE(made.exit_code == 0);
  CHECK((*parse_json(made.out))["architecture"].text == "2,32,2,64,64");

  for (const auto* wrong :
       {"[model.train]\nstepz = 1\n", "[modle.train]\nsteps = 1\n", "[model.trian]\nsteps = 1\n",
        "[model.train]\nsteps = 'many'\n", "[model.train\n", "x = 1\n"}) {
    CAPTURE(wrong);
    soma::support::write_text(config, wrong);
    const auto refused = user.run({"config", "show", "--config", config});
    CHECK(refused.exit_code == 1);
    CAPTURE(refused.err);
    CHECK(is_one_line(refused.err));
    CHECK(refused.err.find("configuration") != std::string::npos);
  }
  CHECK(user.run({"config", "show", "--config", user.at("missing.toml")}).exit_code == 1);
}
