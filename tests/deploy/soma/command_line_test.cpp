// The help is what a new user types: each of its examples has to work.
#include "deploy/soma/command_line.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "tests/deploy/soma/example_stage.hpp"

using soma::support::example_stage;
using soma::support::soma_user;

namespace {

/// The command lines below "Example:" in a help, continued lines joined.
std::vector<std::string> examples_in(const std::string& help) {
  std::vector<std::string> all;
  auto at = help.find("Example:\n");
  if (at == std::string::npos) return all;
  bool goes_on = false;
  for (at = help.find('\n', at) + 1; at < help.size() && help.compare(at, 2, "  ") == 0;) {
    const auto end = std::min(help.find('\n', at), help.size());
    auto line = help.substr(at, end - at);
    line.erase(0, line.find_first_not_of(' '));
    const bool continues = line.ends_with(" \\");
    if (continues) line.resize(line.size() - 1);
    if (goes_on) {
      all.back() += line;
    } else {
      all.push_back(line);
    }
    goes_on = continues;
    at = end + 1;
  }
  return all;
}

/// Benchmarks are measured in tests of their own, with options that end soon.
bool is_bench(const std::string& verb) {
  return verb.starts_with("bench ");
}

}  // namespace

TEST_CASE("every example of every help works as it stands") {
  example_stage stage;
  auto verbs = soma::cli::bind_verbs();
  // A model is retired and the node stopped when nothing else needs them. The validator that joins
  // has no node, so the network stands still once it has its seat, an epoch or two later.
  const std::map<std::string, int> late{{"stake withdraw", 1},
                                        {"model retire", 2},
                                        {"validator join", 3},
                                        {"validator leave", 3},
                                        {"node run", 4}};
  const auto rank = [&](const auto& one) {
    const auto found = late.find(std::string(one.action->name()));
    return found == late.end() ? 0 : found->second;
  };
  std::ranges::stable_sort(verbs, {}, rank);
  for (const auto& one : verbs) {
    const std::string verb(one.action->name());
    const auto help = stage.bash("soma " + verb + " --help");
    REQUIRE(help.exit_code == 0);
    const auto examples = examples_in(help.out);
    CHECK(!examples.empty());
    for (const auto& example : examples) {
      CAPTURE(example);
      CHECK(example.starts_with("soma " + verb));
      if (is_bench(verb)) continue;
      const auto done = stage.type(verb, example);
      CAPTURE(done.out);
      CAPTURE(done.err);
      CHECK(done.exit_code == 0);
    }
  }
}

TEST_CASE("the examples of the program and of its groups are those of their verbs") {
  const soma_user user;
  std::map<std::string, std::vector<std::string>> of_verbs;
  for (const auto& one : soma::cli::bind_verbs()) {
    const std::string name(one.action->name());
    auto help =
        user.run({"help", name.substr(0, name.find(' ')),
                  name.find(' ') == name.npos ? "--help" : name.substr(name.find(' ') + 1)});
    auto& group = of_verbs[name.substr(0, name.find(' '))];
    for (auto& example : examples_in(help.out)) group.push_back(std::move(example));
  }
  const auto check = [&](const std::string& help, const std::vector<std::string>& known) {
    const auto examples = examples_in(help);
    CHECK(!examples.empty());
    for (const auto& example : examples) {
      CAPTURE(example);
      CHECK(std::ranges::find(known, example) != known.end());
    }
  };
  check(user.run({"--help"}).out, of_verbs["localnet"]);
  for (const auto& [group, examples] : of_verbs) check(user.run({"help", group}).out, examples);
}

TEST_CASE("no line of any help is wider than 100 columns") {
  const soma_user user;
  for (const auto& one : soma::cli::bind_verbs()) {
    std::vector<std::string> words{"help"};
    const std::string name(one.action->name());
    words.push_back(name.substr(0, name.find(' ')));
    if (name.find(' ') != name.npos) words.push_back(name.substr(name.find(' ') + 1));
    const auto help = user.run(words).out;
    for (std::size_t at = 0; at < help.size();) {
      const auto end = std::min(help.find('\n', at), help.size());
      const auto line = help.substr(at, end - at);
      CAPTURE(line);
      const auto columns = std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; });
      CHECK(columns <= 100);
      at = end + 1;
    }
  }
}
