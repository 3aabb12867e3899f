// `soma localnet` and `soma ask` on real files with real, but short training.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <thread>

#include "tests/deploy/soma/binary.hpp"

using namespace soma::support;

namespace {

/// A network of models that are smaller than the default ones and learn as much in so few steps.
/// The test of the guide runs a network of the default architecture.
std::vector<std::string> short_run(const std::string& epochs) {
  return {"localnet", "--json",  "--seed", "7",          "--epochs", epochs,   "--train-steps",
          "60",       "--batch", "2",      "--max-data", "512KiB",   "--arch", "2,32,2,64,128"};
}

std::vector<std::string> with(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

parsed_json run_json(const soma_user& user, std::vector<std::string> words) {
  const auto done = user.run(std::move(words));
  CAPTURE(done.err);
  REQUIRE(done.exit_code == 0);
  CHECK(is_one_line(done.out));
  auto document = parse_json(done.out);
  REQUIRE(document);
  return *document;
}

/// Every account of the report is known by its name.
void check_names(const soma_user& user, const parsed_json& report) {
  const auto listed = run_json(user, {"wallet", "list", "--json"});
  for (const auto* group : {"submitters", "validators"}) {
    for (const auto& one : report[group].elements) {
      const auto name = one["name"].text, id = one["address"].text;
      CAPTURE(name);
      CHECK(std::ranges::any_of(listed["localnet"].elements, [&](const auto& account) {
        return account["name"].text == name && account["address"].text == id;
      }));
      CHECK(run_json(user, {"explain", name, "--json"})["id"].text == id);
      const auto held = run_json(user, {"wallet", "balance", name, "--json"})["accounts"];
      CHECK(held.elements.at(0)["balance_shannons"].text == one["balance_shannons"].text);
      CHECK(held.elements.at(0)["name"].text == name);
    }
  }
  const auto told = user.run({"explain", "submitter-1"});
  CHECK(told.out.find("submitter-1 (0x") != std::string::npos);
  const auto pool = run_json(user, {"stake", "list", "validator:validator-1", "--json"});
  CHECK(pool["positions"].elements.at(0)["principal_shannons"].number() > 0);
  CHECK(pool["positions"].elements.at(0)["earned_shannons"].number() > 0);
  CHECK(pool["positions"].elements.at(0)["pool_rewards"].elements.size() >= 3);
}

/// Asks for a long answer in a pipe: its beginning is there long before its end.
void check_streamed(const soma_user& user) {
  running_program asking(user.folder().path(),
                         soma_user::command({"ask", "#include <", "--bytes", "2000"}));
  std::set<std::size_t> sizes;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (sizes.size() < 8 && std::chrono::steady_clock::now() < deadline) {
    sizes.insert(asking.out().size());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(sizes.size() >= 8);
  CHECK(*sizes.rbegin() < 2'000);
  CHECK(asking.out().starts_with("#include <"));
  const auto whole = asking.wait(std::chrono::seconds(120));
  CHECK(whole.exit_code == 0);
  CHECK(whole.out.find("bits per byte on prompt and answer") != std::string::npos);
}

}  // namespace

TEST_CASE(
    "a network on this machine's own files: settled, specialised, whole; and the same bits twice") {
  const soma_user user;
  const auto report = run_json(user, short_run("4"));
  CHECK(report["seed"].number() == 7);
  CHECK(report["supply_ok"].is_true());
  CHECK(report["targets"]["settled"].number() >= 20);
  CHECK(report["targets"]["slashed"].number() == 0);
  const auto& models = report["models"].elements;
  REQUIRE(models.size() >= 3);
  for (const auto& source : models) {
    const auto own = source["bits_per_byte"][source["name"].text].number();
    for (const auto& other : models) {
      CAPTURE(source["name"].text);
      CAPTURE(other["name"].text);
      if (other["id"].text == source["id"].text) continue;
      CHECK(own < other["bits_per_byte"][source["name"].text].number());
    }
  }

  // Another process asks the mixture of all models about the text that the first process measured.
  const auto mixed = user.at(".soma/localnet/data/mixed.bin");
  const auto measured = run_json(user, {"ask", "--eval", mixed, "--json"});
  CHECK(measured["bits_per_byte"].number() ==
        doctest::Approx(report["mixture"]["bits_per_byte"].number()).epsilon(1e-9));
  double shares = 0;
  for (const auto& expert : measured["experts"].elements) {
    CHECK(measured["bits_per_byte"].number() < expert["bits_per_byte"].number());
    shares += expert["share"].number();
  }
  CHECK(shares == doctest::Approx(1.0).epsilon(1e-9));
  const auto answer = run_json(user, {"ask", "#include <", "--bytes", "20", "--json"});
  CHECK(answer["experts"].elements.size() == models.size());
  check_streamed(user);

  // A second network takes the specialists of the first. Training them anew gives the same bits.
  CHECK(report["specialists_trained"].number() == static_cast<double>(models.size()));
  for (const bool trains : {false, true}) {
    CAPTURE(trains);
    const auto again =
        run_json(user, trains ? with(short_run("4"), {"--retrain"}) : short_run("4"));
    CHECK(again["specialists_trained"].number() ==
          (trains ? static_cast<double>(models.size()) : 0));
    CHECK(again["state_root"].text == report["state_root"].text);
    CHECK(again["height"].text == report["height"].text);
  }
  check_names(user, report);
}

TEST_CASE("four validators on real files: one chain, the same for any number of threads") {
  const soma_user user;
  const auto words = with(short_run("3"), {"--validators", "4"});
  const auto report = run_json(user, with(words, {"--threads", "1"}));
  CHECK(report["supply_ok"].is_true());
  CHECK(report["validators_agree"].is_true());
  CHECK(report["targets"]["settled"].number() >= 20);
  REQUIRE(report["validators"].elements.size() == 4);
  for (const auto& one : report["validators"].elements) CHECK(one["paid_shannons"].number() > 0);
  const auto again = run_json(user, with(words, {"--threads", "3"}));
  CHECK(again["state_root"].text == report["state_root"].text);
  CHECK(again["height"].text == report["height"].text);
}

TEST_CASE("cheats on real data lose their bonds, earn nothing, and hurt no other account") {
  const soma_user user;
  const auto report = run_json(user, with(short_run("7"), {"--with-cheats"}));
  CHECK(report["supply_ok"].is_true());
  std::size_t cheats = 0;
  for (const auto& account : report["submitters"].elements) {
    CAPTURE(account["conduct"].text);
    const bool honest = account["conduct"].text == "honest";
    cheats += !honest;
    CHECK((account["bonds_lost_shannons"].number() == 0) == honest);
    CHECK((account["paid_shannons"].number() > 0) == honest);
  }
  CHECK(cheats == 4);
}

TEST_CASE("a network that is stopped while it trains leaves the one before, and goes on later") {
  const soma_user user;
  write_text(user.at("d.txt"), [] {
    std::string text;
    for (int i = 0; i < 60'000; ++i) text += std::to_string(i * 7 % 1'009) + " ";
    return text;
  }());
  const std::vector<std::string> tiny{
      "localnet", "--json",       "--data",   "d=" + user.at("d.txt"),
      "--arch",   "2,16,2,32,32", "--epochs", "3"};
  const auto before = run_json(user, with(tiny, {"--train-steps", "5"}));
  const auto stopped = with(tiny, {"--train-steps", "100000000"});
  running_program running(user.folder().path(), soma_user::command(stopped));
  const auto has_checkpoint = [&] {
    for (const auto& file : std::filesystem::directory_iterator(user.at(".soma/trained"))) {
      if (file.path().extension() == ".checkpoint") return true;
    }
    return false;
  };
  for (int i = 0; i < 3'000 && !has_checkpoint(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  running.send(SIGINT);
  const auto done = running.wait(std::chrono::seconds(30));
  CHECK(done.exit_code == 1);
  CHECK(done.out.empty());
  CHECK(done.err.find("stopped while training") != std::string::npos);
  CHECK(done.err.find("goes on where it stopped") != std::string::npos);
  CHECK(has_checkpoint());
  // The network before is where it was, and nothing is beside it.
  CHECK(run_json(user, {"status", "--json"})["height"].text == before["height"].text);
  CHECK_FALSE(std::filesystem::exists(user.at(".soma/localnet.1")));
}

TEST_CASE("what a network cannot run on is refused before anything begins") {
  const soma_user user;
  write_text(user.at("tiny.txt"), "too little");
  auto done = user.run({"localnet", "--data", user.at("tiny.txt")});
  CHECK(done.exit_code == 1);
  CHECK(is_one_line(done.err));
  CHECK(done.err.find("too small") != std::string::npos);
  done = user.run({"localnet", "--data", "x=" + user.at("nowhere")});
  CHECK(done.exit_code == 1);
  CHECK(is_one_line(done.err));
  for (const auto& words : std::vector<std::vector<std::string>>{{"--epochs", "2"},
                                                                 {"--submitters", "0"},
                                                                 {"--validators", "0"},
                                                                 {"--validators", "33"},
                                                                 {"--arch", "7"},
                                                                 {"--threads", "0"}}) {
    CAPTURE(words[0]);
    done = user.run(with({"localnet"}, words));
    CHECK(done.exit_code != 0);
    CHECK(is_one_line(done.err));
  }
  std::vector<std::string> too_many{"localnet"};
  for (int i = 0; i < 17; ++i)
    too_many.insert(too_many.end(), {"--data", "x=" + user.at("tiny.txt")});
  done = user.run(too_many);
  CHECK(done.exit_code == 2);
  CHECK(done.err.find("16") != std::string::npos);
  done = user.run({"ask", "hello"});
  CHECK(done.exit_code == 1);
  CHECK(done.err.find("soma localnet") != std::string::npos);
  CHECK(user.run({"ask"}).exit_code == 2);
}
