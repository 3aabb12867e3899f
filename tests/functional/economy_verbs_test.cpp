// A network of one node, used by its operator and by a new user: keys, transfers, stakes, and a
// model whose publisher is killed again and again.
#include <doctest/doctest.h>

#include <thread>

#include "messages/crypto/random.hpp"
#include "tests/functional/node_home.hpp"

using namespace soma;
using namespace soma::support;

namespace {

constexpr auto epoch_seconds = "6";
constexpr std::uint64_t soma_unit = 1'000'000'000;

class economy {
 public:
  economy() : ca_(user_.folder() / "ca"), me_(ca_.identity("me")), node_(user_, ca_, "node") {
    for (const auto* name : {"alice", "bob"}) done({"wallet", "new", name, "--no-passphrase"});
    done({"genesis", "new", "-o", user_.at("genesis.bin"), "--validator", user_.at("validator.key"),
          "--account", "alice=1000", "--arch", "2,16,2,32,32", "--epoch-seconds", epoch_seconds});
    node_.write_config(
        "[roles.blob_store]\nlisten = \"127.0.0.1:0\"\n[roles.scorer]\nworkers = 1\n"
        "[roles.model_registry]\n[roles.router]\n[roles.target_generator]\n[roles.validator]\n"
        "listen = \"127.0.0.1:0\"\nblock_ms = 50\ngenesis = \"" +
        user_.at("genesis.bin") + "\"\nkey = \"" + user_.at("validator.key") + "\"\n");
    node_.start();
    validator_ = node_.listens("validator");
    blobs_ = node_.listens("blob_store");
  }

  [[nodiscard]] const soma_user& user() const { return user_; }
  [[nodiscard]] const std::string& blobs() const { return blobs_; }
  [[nodiscard]] std::filesystem::path ledger() const { return node_.home(); }
  /// The words of a command, with the options that make it ask this network's validator.
  [[nodiscard]] std::vector<std::string> joined(std::vector<std::string> words) const {
    for (const auto& word :
         {std::string("--join"), validator_, std::string("--certificate"), me_.certificate.string(),
          std::string("--certificate-key"), me_.key.string(), std::string("--ca"), me_.ca.string(),
          std::string("--json")}) {
      words.push_back(word);
    }
    return words;
  }
  parsed_json done(std::vector<std::string> words) const {
    if (words.back() != "--json") words.emplace_back("--json");
    const auto ended = user_.run(words);
    REQUIRE_MESSAGE(ended.exit_code == 0,
                    std::string(words[0] + " " + words[1] + ": " + ended.err));
    const auto document = parse_json(ended.out);
    REQUIRE_MESSAGE(document.has_value(), ended.out);
    return *document;
  }
  parsed_json asked(std::vector<std::string> words) const { return done(joined(std::move(words))); }
  /// What a command prints for a person.
  [[nodiscard]] std::string shown(std::vector<std::string> words) const {
    words = joined(std::move(words));
    words.pop_back();  // --json
    return user_.run(words).out;
  }
  [[nodiscard]] std::string refused(std::vector<std::string> words) const {
    const auto ended = user_.run(joined(std::move(words)));
    CHECK(ended.exit_code == 1);
    CHECK(ended.out.empty());
    CHECK(is_one_line(ended.err));
    return ended.err;
  }
  [[nodiscard]] std::uint64_t balance(const std::string& name) const {
    return number(asked({"wallet", "balance", name})["accounts"].elements[0]["balance_shannons"]);
  }
  [[nodiscard]] std::uint64_t epoch() const { return number(asked({"status"})["epoch"]); }
  [[nodiscard]] static std::uint64_t number(const parsed_json& value) {
    return std::stoull(value.text);
  }

 private:
  soma_user user_;
  operator_ca ca_;
  cluster::cluster_identity me_;
  node_process node_;
  std::string validator_, blobs_;
};

void check_transfers(const economy& net) {
  CHECK(net.balance("alice") == 1'000 * soma_unit);
  const std::vector<std::string> send{"wallet", "send", "bob", "20.5", "--from", "alice"};
  auto dry = send;
  dry.emplace_back("--dry-run");
  const auto foreseen = net.asked(dry);
  CHECK(foreseen["dry_run"].is_true());
  CHECK(net.balance("alice") == 1'000 * soma_unit);
  const auto sent = net.asked(send);
  // If an epoch has ended meanwhile, the multiplier of the fee has changed by at most an eighth.
  const auto said = economy::number(foreseen["fee_shannons"]);
  const auto paid = economy::number(sent["fee_shannons"]);
  CHECK(paid >= said);
  CHECK(paid - said < 2'000);
  CHECK(net.balance("bob") == 20 * soma_unit + soma_unit / 2);
  CHECK(net.balance("alice") ==
        1'000 * soma_unit - net.balance("bob") - economy::number(sent["fee_shannons"]));
  const auto before = net.balance("alice");
  CHECK(net.refused({"wallet", "send", "bob", "5000", "--from", "alice"})
            .find("nothing was charged") != std::string::npos);
  CHECK(net.refused({"wallet", "send", "0x" + std::string(64, '0'), "1", "--from", "alice"})
            .find("the address of zeros") != std::string::npos);
  CHECK(net.balance("alice") == before);
  // The ledger on disk says the same, while the node writes it.
  const auto local = net.done({"wallet", "balance", "bob", "--ledger", net.ledger().string()});
  CHECK(local["accounts"].elements[0]["balance_shannons"].text == "20500000000");
}

/// Checks Bob's deposit in the validator's pool.
void check_stake(const economy& net) {
  const auto member = net.asked({"status"})["committee"].elements[0]["member"].text;
  const auto pool = "validator:" + member.substr(0, 12);
  const auto added = net.asked({"stake", "add", pool, "10", "--from", "bob"});
  CHECK(added["pool"]["id"].text == member);
  const auto position = [&] {
    return net.asked({"stake", "list", "bob"})["positions"].elements[0];
  };
  // A share costs a little more than at the beginning, because the pool has earned rewards.
  REQUIRE(comes_true([&] { return position()["shares"].text != "0"; }));
  CHECK(position()["joining_shannons"].text == "0");
  CHECK(economy::number(position()["shares"]) <= 10 * soma_unit);
  CHECK(economy::number(position()["worth_shannons"]) >= 10 * soma_unit - 1);
  const auto left = net.asked({"stake", "withdraw", pool, "--amount", "4", "--from", "bob"});
  CHECK(economy::number(left["paid_after_epoch"]) > economy::number(left["leaves_after_epoch"]));
  CHECK(net.refused({"stake", "withdraw", pool, "--amount", "9", "--from", "bob"}).find("worth") !=
        std::string::npos);
}

}  // namespace

TEST_CASE("money moves, is staked and comes back, as the verbs say it will") {
  const economy net;
  check_transfers(net);
  check_stake(net);
  const auto before = net.balance("bob");
  // The shares leave the pool at the end of this epoch and are paid two epochs later, at the price
  // of that end.
  REQUIRE(comes_true([&] { return net.balance("bob") >= before + 4 * soma_unit; }));
  const auto kept = net.asked({"stake", "list", "bob"})["positions"].elements[0];
  CHECK(economy::number(kept["worth_shannons"]) >= 6 * soma_unit - 1);
  CHECK(kept["unbonding"].elements.empty());
  const auto status = net.asked({"status"});
  CHECK(status["supply_ok"].is_true());
  // The node tells which program it runs, beside that of the person who asks.
  CHECK_FALSE(status["build"].text.empty());
  CHECK(status["validator"]["build"].text == status["build"].text);
  CHECK(net.shown({"status"}).find("build       " + status["build"].text + ", as this program") !=
        std::string::npos);
}

TEST_CASE("a publisher that is killed at any moment loses no stake: the same command goes on") {
  const economy net;
  const auto& user = net.user();
  const auto weights = user.at("w.safetensors");
  net.done({"model", "init", "-o", weights, "--arch", "2,16,2,32,32", "--seed", "5"});
  write_text(user.at("data.txt"), std::string(5'000, 'x') + "the data that it knows");
  const auto publish =
      net.joined({"model", "publish", weights, "--data", user.at("data.txt"), "--stake", "3",
                  "--commission", "500", "--from", "alice", "--blobs", net.blobs()});
  const auto before = net.balance("alice");
  crypto::seeded_random random(17);
  // First it is killed at random moments: before it does anything, while it stores, while it
  // commits.
  for (int round = 0; round < 3; ++round) {
    running_program killed(user.folder().path(), soma_user::command(publish));
    std::this_thread::sleep_for(std::chrono::milliseconds(random.below(400)));
    killed.send(SIGKILL);
    (void)killed.wait();
  }
  {  // Then it is killed between the commitment and the reveal.
    running_program killed(user.folder().path(), soma_user::command(publish));
    REQUIRE(comes_true([&] {
      // It is past the lock on its publication; the commitment may be that of an earlier round.
      const auto err = killed.err();
      const bool is_committed = err.find("committed: ") != std::string::npos;
      return is_committed || (err.find("continuing the publication") != std::string::npos &&
                              net.asked({"model", "list"})["models"].elements.size() == 1);
    }));
    const auto second = user.run(publish);
    CHECK(second.exit_code == 1);
    CHECK(second.err.find("cannot publish these weights twice at once") != std::string::npos);
    killed.send(SIGKILL);
    (void)killed.wait();
  }
  CHECK(net.asked({"model", "list"})["models"].elements[0]["status"].text == "committed");
  const auto published = net.done(publish);
  const auto model = published["model"].text;
  REQUIRE(comes_true([&] {
    return net.asked({"model", "info", model.substr(0, 10)})["status"].text == "active";
  }));
  const auto models = net.asked({"model", "list", "--owner", "alice"});
  REQUIRE(models["models"].elements.size() == 1);
  CHECK(models["models"].elements[0]["own_stake_shannons"].text == std::to_string(3 * soma_unit));
  CHECK(net.balance("alice") > before - 4 * soma_unit);
  CHECK(net.balance("alice") < before - 3 * soma_unit);

  // An update keeps the commission, unless another one is given.
  const auto better = user.at("better.safetensors");
  net.done({"model", "init", "-o", better, "--arch", "2,16,2,32,32", "--seed", "6"});
  const auto foreseen =
      net.done(net.joined({"model", "publish", better, "--data", user.at("data.txt"), "--model",
                           model, "--from", "alice", "--dry-run"}));
  CHECK(foreseen["commission_bps"].text == "500");

  // The model is published already, so another start sends nothing.
  const auto held = net.balance("alice");
  CHECK(net.done(publish)["model"].text == model);
  CHECK(net.balance("alice") == held);

  // Other users of the machine must not be able to read the file.
  for (const auto& entry :
       std::filesystem::directory_iterator(user.folder() / ".soma" / "publications")) {
    CHECK((entry.status().permissions() & std::filesystem::perms(077)) ==
          std::filesystem::perms::none);
  }
  CHECK(net.refused({"model", "retire", model, "--from", "bob"}).find("nothing was sent") !=
        std::string::npos);
  net.asked({"model", "retire", model, "--from", "alice"});
  REQUIRE(comes_true([&] {
    return net.asked({"model", "info", model})["status"].text == "inactive";
  }));
  net.asked({"stake", "withdraw", "model:" + model, "--all", "--from", "alice"});
  CHECK(net.asked({"status"})["supply_ok"].is_true());
}
