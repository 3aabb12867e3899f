#include <doctest/doctest.h>

#include <map>

#include "deploy/soma/shell/units.hpp"
#include "tests/deploy/soma/binary.hpp"

using soma::support::is_one_line;
using soma::support::parse_json;
using soma::support::read_text;
using soma::support::run_program;
using soma::support::soma_user;
using soma::support::write_text;

TEST_CASE("amounts are read exactly or not at all") {
  using soma::cli::parse_amount;
  const std::pair<const char*, std::uint64_t> good[] = {{"12.5", 12'500'000'000},
                                                        {"12.5SOMA", 12'500'000'000},
                                                        {"12.5 soma", 12'500'000'000},
                                                        {"12500000000sh", 12'500'000'000},
                                                        {"0", 0},
                                                        {"0.000000001", 1},
                                                        {"10000000", 10'000'000'000'000'000},
                                                        {"1.000000000", 1'000'000'000},
                                                        {"7 shannons", 7}};
  for (const auto& [text, shannons] : good) {
    CAPTURE(text);
    REQUIRE(parse_amount(text).has_value());
    CHECK(parse_amount(text)->value == shannons);
  }
  for (const auto* text :
       {"", "-1", "+1", ".5", "1.", "1.0000000001", "1.5sh", "1e3", "1,5", "12.5BTC", "10000000.1",
        "10000001", "18446744073709551616", "1 2", "SOMA", "0x10", "99999999999999999999sh"}) {
    CAPTURE(text);
    CHECK(!parse_amount(text).has_value());
  }
}

TEST_CASE("keys are made once, listed without their passphrase, and used with it alone") {
  const soma_user user;
  const auto open = user.run({"wallet", "new", "robot", "--no-passphrase", "--json"});
  CAPTURE(open.err);
  REQUIRE(open.exit_code == 0);
  const auto robot = *parse_json(open.out);
  const auto before = read_text(robot["path"].text);
  write_text(user.at("phrase"), "correct horse\n");
  const auto locked =
      user.run({"wallet", "new", "alice", "--passphrase-file", user.at("phrase"), "--json"});
  REQUIRE(locked.exit_code == 0);
  const auto alice = *parse_json(locked.out);
  CHECK(read_text(alice["path"].text).find("ENCRYPTED") != std::string::npos);
  CHECK(read_text(alice["path"].text).find("correct") == std::string::npos);
  for (const auto& key : {robot["path"].text, alice["path"].text}) {
    CHECK((std::filesystem::status(key).permissions() & std::filesystem::perms(077)) ==
          std::filesystem::perms::none);
  }
  const auto list = *parse_json(user.run({"wallet", "list", "--json"}).out);
  REQUIRE(list["keys"].elements.size() == 2);
  CHECK(list["keys"].elements[0]["address"].text == alice["address"].text);

  const std::pair<std::vector<std::string>, int> wrong[] = {
      {{"wallet", "new", "robot", "--no-passphrase"}, 1},
      {{"wallet", "new", "bob"}, 1},  // nobody is there to be asked
      {{"wallet", "new", "../x", "--no-passphrase"}, 2},
      {{"wallet", "new", "deadbeef", "--no-passphrase"}, 2},  // reads as an address
      {{"wallet", "balance", "robot"}, 1},                    // no ledger here
      {{"wallet", "send", "robot", "1", "--from", "alice"}, 1},
      {{"wallet", "send", "robot", "1.2.3", "--from", "alice"}, 2},
      {{"wallet", "send", "robot", "1", "--from", "alice", "--join", "nowhere"}, 2},
      {{"wallet", "send", "robot", "1", "--from", "alice", "--join", "127.0.0.1:9"}, 2},
      {{"stake", "list", "robot"}, 1},
      {{"stake", "withdraw", "model:0x12345678", "--all", "--shares", "5"}, 2},
      {{"model", "list"}, 1},
      {{"target", "list", "--epoch", "1", "--all"}, 2},
      {{"status"}, 1},
      {{"genesis", "inspect"}, 1},
  };
  for (const auto& [words, code] : wrong) {
    const auto& name = words[0] + " " + words[1 % words.size()];
    CAPTURE(name);
    const auto ended = user.run(words);
    CAPTURE(ended.err);
    CHECK(ended.exit_code == code);
    CHECK(ended.out.empty());
    CHECK(is_one_line(ended.err));
  }
  CHECK(read_text(robot["path"].text) == before);
}

TEST_CASE("a genesis is made of options or a file, says all of it again, and is never replaced") {
  const soma_user user;
  REQUIRE(user.run({"wallet", "new", "alice", "--no-passphrase"}).exit_code == 0);
  const auto made = user.run({"genesis", "new", "-o", user.at("g.bin"), "--validator",
                              user.at("a.key") + "=5000", "--validator", user.at("b.key"),
                              "--account", "alice=250.5", "--arch", "tiny", "--epoch-seconds", "60",
                              "--network", "test-net", "--set", "row_fee=301", "--json"});
  CAPTURE(made.err);
  REQUIRE(made.exit_code == 0);
  const auto shown = user.run({"genesis", "inspect", user.at("g.bin"), "--json"});
  REQUIRE(shown.exit_code == 0);
  const auto facts = *parse_json(shown.out);
  CHECK(facts["name"].text == "test-net");
  CHECK(facts["chain"].text == (*parse_json(made.out))["chain"].text);
  CHECK(facts["parameters"]["row_fee"].text == "301");
  CHECK(facts["parameters"]["epoch_ms"].text == "60000");
  CHECK(facts["parameters"]["emission_epochs"].text == "5256000");
  CHECK(facts["parameters"]["hits_wanted"].text == "60");
  CHECK(facts["accounts"].elements[0]["balance_shannons"].text == "250500000000");
  CHECK(facts["allocated_shannons"].text == "6250500000000");
  CHECK(facts["emission"]["pool_shannons"].text == "9993749500000000");
  std::uint64_t power = 0;
  for (const auto& member : facts["committee"].elements) power += std::stoull(member["power"].text);
  CHECK(power == 10'000);
  CHECK(facts["largest_data_bytes"].text == "1048576");
  CHECK((*parse_json(made.out))["largest_data_bytes"].text == "1048576");

  // The same from a file, each parameter set to what it is: the same network.
  std::string toml =
      "name = \"test-net\"\nstart_ms = " + facts["start_ms"].text + "\n[parameters]\n";
  for (const auto& [name, value] : facts["parameters"].members) {
    constexpr std::string_view amount = "_shannons";
    if (name.ends_with(amount)) {
      toml += name.substr(0, name.size() - amount.size()) + " = \"" + value.text + "sh\"\n";
    } else {
      toml += name + " = " + (name == "architecture" ? "\"tiny\"" : value.text) + "\n";
    }
  }
  toml += "[[accounts]]\nowner = \"" + facts["accounts"].elements[0]["address"].text +
          "\"\nbalance = \"250.5 SOMA\"\n";
  toml += "[[validators]]\nkey = \"a.key\"\nstake = 5000\n[[validators]]\nkey = \"b.key\"\n";
  write_text(user.at("net.toml"), toml);
  const auto again =
      user.run({"genesis", "new", "-o", user.at("h.bin"), "--file", user.at("net.toml")});
  CAPTURE(again.err);
  REQUIRE(again.exit_code == 0);
  CHECK(read_text(user.at("h.bin")) == read_text(user.at("g.bin")));

  // Every parameter takes another value, and says it.
  std::vector<std::string> set{"genesis",           "new",   "-o", user.at("other.bin"), "--file",
                               user.at("net.toml"), "--json"};
  std::map<std::string, std::string> wanted;
  for (const auto& [name, value] : facts["parameters"].members) {
    if (name == "architecture") continue;
    constexpr std::string_view amount = "_shannons";
    const bool is_amount = name.ends_with(amount);
    const bool is_at_most =
        name == "committee_size" || name == "max_data_bytes" || name == "max_power";
    const int step = is_at_most ? -1 : 1;
    wanted[name] = std::to_string(std::stoll(value.text) + step);
    set.emplace_back("--set");
    set.push_back((is_amount ? name.substr(0, name.size() - amount.size()) : name) + "=" +
                  wanted[name] + (is_amount ? "sh" : ""));
  }
  const auto changed = user.run(set);
  CAPTURE(changed.err);
  REQUIRE(changed.exit_code == 0);
  const auto other =
      *parse_json(user.run({"genesis", "inspect", user.at("other.bin"), "--json"}).out);
  CHECK(other["chain"].text != facts["chain"].text);
  for (const auto& [name, value] : wanted) {
    CAPTURE(name);
    CHECK(other["parameters"][name].text == value);
  }

  const std::pair<std::vector<std::string>, int> wrong[] = {
      {{"genesis", "new", "-o", user.at("g.bin"), "--validator", user.at("a.key")}, 1},
      {{"genesis", "new", "-o", user.at("x")}, 2},
      {{"genesis", "new", "-o", user.at("x"), "--validator", user.at("a.key") + "=much"}, 2},
      {{"genesis", "new", "-o", user.at("x"), "--validator", user.at("a.key"), "--set", "x=1"}, 2},
      {{"genesis", "new", "-o", user.at("x"), "--validator", user.at("a.key"), "--account", "a=1"},
       1},
      {{"genesis", "new", "-o", user.at("x"), "--validator", user.at("a.key") + "=1"}, 1},
      {{"genesis", "new", "-o", user.at("x"), "--validator", user.at("a.key"), "--account",
        "alice=10000000"},
       1},
      {{"genesis", "new", "-o", user.at("x"), "--validator", user.at("a.key"), "--set",
        "max_audit_products=1"},
       1},
      {{"genesis", "inspect", user.at("net.toml")}, 1},
  };
  for (const auto& [words, code] : wrong) {
    const auto ended = user.run(words);
    CAPTURE(ended.err);
    CHECK(ended.exit_code == code);
    CHECK(is_one_line(ended.err));
  }
  CHECK(!std::filesystem::exists(user.at("x")));

  const auto replaced = user.run({"genesis", "new", "-o", user.at("g.bin"), "--force", "--file",
                                  user.at("net.toml"), "--network", "other"});
  CAPTURE(replaced.err);
  CHECK(replaced.exit_code == 0);
  CHECK(read_text(user.at("g.bin")) != read_text(user.at("h.bin")));
  CHECK(replaced.out.find("at most 1,048,576 bytes a submission") != std::string::npos);
  const auto fewer = user.run({"genesis", "new", "-o", user.at("g.bin"), "--force", "--file",
                               user.at("net.toml"), "--set", "max_audit_products=1000000000"});
  CAPTURE(fewer.err);
  CHECK(fewer.exit_code == 0);
  const auto limit = *parse_json(user.run({"genesis", "inspect", user.at("g.bin"), "--json"}).out);
  CHECK(std::stoull(limit["largest_data_bytes"].text) < 1'048'576);
}
