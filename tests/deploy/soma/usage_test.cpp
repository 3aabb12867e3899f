// Words that mean nothing are refused by name, with the nearest one that means something.
#include <doctest/doctest.h>

#include "tests/deploy/soma/binary.hpp"

using soma::support::is_one_line;
using soma::support::soma_user;

TEST_CASE("a mistyped command line is told what is wrong with it") {
  const soma_user user;
  struct row {
    std::vector<std::string> words;
    const char* told;
  };
  const row rows[] = {
      {{}, "no verb was named"},
      {{"--json"}, "no verb was named"},
      {{"--home", "x", "--json"}, "no verb was named"},
      {{"--nothing"}, "there is no option '--nothing'; see"},
      {{"--jsno"}, "there is no option '--jsno'; the nearest is --json"},
      {{"--nothing", "wallet", "list"}, "there is no option '--nothing'"},
      {{"-Z"}, "there is no option '-Z'; see"},
      {{"--home"}, "--home: its value is missing"},
      {{"wallet", "list", "--config"}, "--config: its value is missing"},
      {{"wallet", "list", "--home", "a", "--home", "b"}, "--home: it is given more than once"},
      {{"model"}, "one of its verbs is missing: init, train, score"},
      {{"model", "--json"}, "one of its verbs is missing: init, train, score"},
      {{"model", "--bogus"}, "there is no option '--bogus'"},
      {{"modle"}, "there is no verb 'modle'; the nearest is model"},
      {{"--json", "walet", "list"}, "there is no verb 'walet'; the nearest is wallet"},
      {{"model", "trian"}, "there is no verb 'model trian'; the nearest is train"},
      {{"train"}, "there is no verb 'train'; the nearest is model train"},
      {{"xyzzy"}, "there is no verb 'xyzzy'; see"},
      {{"--json", "help"}, "write `soma --help`"},
      {{"version", "extra"}, "write `soma --version`"},
      {{"--version", "extra"}, "'extra' stands after it"},
      {{"-V", "wallet", "list"}, "'wallet' stands after it"},
      {{"model", "train", "--steeps", "3"},
       "'--steeps'; the nearest is --steps; see `soma model tr"},
      {{"model", "train", "--steeps=3"}, "'--steeps'; the nearest is --steps; see `soma model tr"},
      {{"model", "train", "--steps"},
       "--steps: its value is missing; see `soma model train --help`"},
      {{"model", "train", "--steps", "1", "--steps", "2"}, "--steps: it is given more than once"},
      {{"wallet", "list", "extra"}, "soma wallet list: 'extra' is one word too many"},
      {{"ask", "--", "-h", "--bytes"}, "soma ask: '--bytes' is one word too many"},
      {{"wallet", "new", "a", "b", "c"}, "soma wallet new: 'b' is one word too many"},
      {{"wallet", "list", "-z"}, "there is no option '-z'; see `soma wallet list --help`"},
      {{"wallet", "list", "--json=5"}, "--json: write true or false"},
      {{"wallet", "list", "--json="}, "--json: write true or false"},
      {{"wallet", "new", "a", "--no-passphrase="}, "--no-passphrase: write true or false"},
  };
  for (const auto& [words, told] : rows) {
    CAPTURE(words);
    const auto done = user.run(words);
    CAPTURE(done.err);
    CHECK(done.exit_code == 2);
    CHECK(done.out.empty());
    CHECK(is_one_line(done.err));
    CHECK(done.err.find(told) != std::string::npos);
  }
}

TEST_CASE("with --json a refusal is one JSON document on the standard error, with a code") {
  const soma_user user;
  struct row {
    std::vector<std::string> words;
    const char* code;
    int exit_code;
  };
  const row rows[] = {
      {{"walet", "list", "--json"}, "wrong_usage", 2},
      {{"--json"}, "wrong_usage", 2},
      {{"status", "--json"}, "not_found", 1},
      {{"model", "init", "--json=true", "-o", user.at("nowhere/w")}, "failed", 1},
      {{"model", "init", "--json", "--arch", "2,16,2,32,32", "-o", user.at("w")}, "exists", 1},
  };
  soma::support::write_text(user.at("w"), "mine");
  for (const auto& [words, code, exit_code] : rows) {
    CAPTURE(words);
    const auto done = user.run(words);
    CAPTURE(done.err);
    CHECK(done.exit_code == exit_code);
    CHECK(done.out.empty());
    REQUIRE(is_one_line(done.err));
    const auto told = soma::support::parse_json(done.err);
    REQUIRE(told);
    CHECK((*told)["error"]["code"].text == code);
    CHECK((*told)["error"]["exit_code"].number() == exit_code);
    CHECK(!(*told)["error"]["problem"].text.empty());
  }
  // After "--" it is a word like any other.
  CHECK(user.run({"ask", "x", "--", "--json"}).err.starts_with("soma: "));
}

TEST_CASE("the options of every verb stand before, between and after its words") {
  const soma_user user;
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--json", "wallet", "list"},
           {"wallet", "--json", "list"},
           {"wallet", "list", "--json"},
           {"--home", user.at("h"), "wallet", "list", "--json=true"},
           {"wallet", "--home", user.at("h"), "list", "--json"}}) {
    CAPTURE(words);
    const auto done = user.run(words);
    CAPTURE(done.err);
    CHECK(done.exit_code == 0);
    CHECK(done.out == "{\"keys\": [], \"localnet\": []}\n");
  }
  for (const auto* word : {"-V", "--version", "version"}) {
    CHECK(user.run({word}).out == user.run({"--version"}).out);
  }
  CHECK(user.run({"help"}).out == user.run({"--help"}).out);
  CHECK(user.run({"help", "model", "train"}).out == user.run({"model", "train", "--help"}).out);
  CHECK(user.run({"help", "modle"}).exit_code == 2);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"-h"}, {"--help"}, {"model", "--help"}, {"model", "train", "-h"}}) {
    CAPTURE(words);
    const auto done = user.run(words);
    CHECK(done.exit_code == 0);
    CHECK(done.out.find("Usage: soma") != std::string::npos);
  }
}
