// `soma localnet` and `soma ask` on real files with real, but short training.
#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "tests/deploy/soma/binary.hpp"

using namespace soma::support;

namespace {

std::vector<std::string> short_run(const std::string& epochs) {
  return {"localnet",      "--json", "--seed",  "7", "--epochs",   epochs,
          "--train-steps", "60",     "--batch", "2", "--max-data", "512KiB"};
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

  const auto again = run_json(user, short_run("4"));
  CHECK(again["state_root"].text == report["state_root"].text);
  CHECK(again["height"].text == report["height"].text);
}

TEST_CASE("four validators on real files: one chain, the same for any number of threads") {
  const soma_user user;
  const auto words = with(short_run("4"), {"--validators", "4"});
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

TEST_CASE("a network that is stopped says so in one line and leaves nothing running") {
  const soma_user user;
  running_program running(user.folder().path(),
                          soma_user::command({"localnet", "--train-steps", "100000", "--json"}));
  std::this_thread::sleep_for(std::chrono::seconds(4));
  running.send(SIGINT);
  const auto done = running.wait(std::chrono::seconds(30));
  CHECK(done.exit_code == 1);
  CHECK(done.out.empty());
  CHECK(done.err.find("stopped while training") != std::string::npos);
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
