#include "tests/deploy/soma/example_stage.hpp"

#include <signal.h>

#include <algorithm>
#include <regex>
#include <stdexcept>
#include <thread>

#include "tests/support/free_ports.hpp"

namespace soma::support {
namespace {

constexpr auto short_localnet =
    " --arch 2,16,2,32,32 --train-steps 10 --epochs 4 --max-data 256KiB";

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// Gives an option of the example this value, whether the example has the option or not.
void set_option(std::string& example, const std::string& option, const std::string& value) {
  const std::regex given(option + " \\S+");
  const auto wanted = option + " " + value;
  example = std::regex_search(example, given) ? std::regex_replace(example, given, wanted)
                                              : example + " " + wanted;
}

/// Commands that a reader would have given before, by the verb.
std::string before(const std::string& verb, const std::string& example) {
  const std::string in_new_home = "export SOMA_HOME=$PWD/new-home; ";
  // The epochs of the stage are so short that what a home trusts is soon too old. A reader comes to
  // a gateway for the first time.
  const std::string forgotten =
      example.find("https://127.0.0.1:") == std::string::npos ? "" : "rm -rf ~/.soma/networks; ";
  if (verb == "model init") return "rm -f w.safetensors; ";
  if (verb == "model train") {
    if (example.find("--resume") == std::string::npos) return "rm -f w.safetensors*; ";
    auto first = example;  // the run that the example goes on with: it is stopped in its middle
    replace_all(first, " --resume", "");
    return "rm -f w.safetensors*; " + first +
           " --checkpoint-every 1 & pid=$!; until [ -e "
           "w.safetensors.checkpoint ]; do sleep 0.01; done; kill -INT $pid; wait $pid; ";
  }
  const std::string new_genesis =
      "rm -f genesis.bin; soma genesis new -o genesis.bin --validator "
      "validator.key; ";
  if (verb == "genesis inspect" || verb == "validator join") return new_genesis;
  if (verb == "model publish") {  // `model init` and `model train` have replaced it
    return forgotten +
           "rm -f w.safetensors; soma model init --arch 2,16,2,32,32 --seed 3 -o w.safetensors; ";
  }
  if (verb == "genesis new") return "rm -rf genesis.bin net; ";
  if (verb == "node new-ca" || verb == "wallet new") return in_new_home;
  if (verb == "node new-cert") {
    return in_new_home +
           "rm -rf $SOMA_HOME/ca other-ca; soma node new-ca; soma node new-ca "
           "--ca other-ca; ";
  }
  if (verb == "localnet") return in_new_home;
  return forgotten;
}

/// True for a command that runs until it is stopped.
bool serves(const std::string& verb, const std::string& example) {
  return verb == "node run" || verb == "scorer" || example.find("--serve ") != std::string::npos;
}

}  // namespace

example_stage::example_stage() {
  port_ = free_ports(5);
  const auto files =
      "mkdir -p ~/src ~/letters src genesis-work etc tmp && "
      "cp " SOMA_SOURCE
      "/README.md . && cp README.md notes.txt && "
      "printf 'name = \"mine\"\n[[validators]]\nkey = \"a.key\"\nstake = 5000\n' > network.toml && "
      "for n in 1 2 3; do cat " SOMA_SOURCE
      "/deploy/soma/*.cpp > src/$n.cpp; "
      "cp src/$n.cpp ~/src/$n.txt; cp src/$n.cpp ~/letters/$n.txt; done";
  (void)done(files);
  (void)done("soma wallet new alice --no-passphrase && soma wallet new bob --no-passphrase");
  (void)done(std::string("soma localnet") + short_localnet);
  (void)done(
      "soma model init --arch 2,16,2,32,32 --seed 1 -o w.safetensors && "
      "soma model init --arch 2,16,2,32,32 --seed 2 -o better.safetensors && "
      "cp w.safetensors v1.safetensors");
  start_network();
  find_ids();
}

example_stage::~example_stage() {
  if (!node_) return;
  node_->send(SIGINT);
  try {
    (void)node_->wait(std::chrono::seconds(30));
  } catch (const std::runtime_error&) {  // the destructor of the program ends it
  }
}

finished_program example_stage::bash(const std::string& script) const {
  const auto begin = "cd " + user_.at("") +
                     " && mkdir -p work && cd work && export PATH=$(dirname " +
                     std::string(SOMA_BINARY) + "):$PATH SOMA_PASSPHRASE=words; ";
  return run_program(user_.folder().path(), {"/bin/bash", "-c", begin + script},
                     std::chrono::seconds(120));
}

std::string example_stage::done(const std::string& script) const {
  const auto ended = bash(script);
  if (ended.exit_code != 0) throw std::runtime_error(script + ": " + ended.err);
  return ended.out;
}

void example_stage::start_network() {
  const auto port = [this](int n) { return std::to_string(port_ + n); };
  // The validator has nearly all power, so that the network goes on when an epoch ends after the
  // example that joins the committee and before the one that leaves it: nobody runs that member.
  (void)done("soma genesis new --validators 1 --output-dir live --port " + port(0) +
             " --stake 100000 --account alice=20000 --account bob=100 --arch 2,16,2,32,32 "
             "--epoch-seconds 5 && "
             "sed -i 's|^\\[roles.blob_store\\]|&\\nlisten = \"127.0.0.1:" +
             port(2) + "\"|; s|^\\[roles.scorer\\]|&\\nlisten = \"127.0.0.1:" + port(3) +
             "\"|' live/validator-1/node.toml && "
             "printf '\\n[roles.gateway]\\nlisten = \"127.0.0.1:" +
             port(4) + "\"\\nfaucet = \"" + user_.at(".soma/keys/bob.pem") +
             "\"\\n' >> live/validator-1/node.toml");
  node_config_ = user_.at("work/live/validator-1/node.toml");
  node_ = std::make_unique<running_program>(
      user_.folder().path(), soma_user::command({"node", "run", "--config", node_config_}));
  for (int i = 0; i < 600 && node_->out().find("gateway  ") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::smatch told;
  const auto out = node_->out();
  if (!std::regex_search(out, told, std::regex("gateway +listens at (https://\\S+)"))) {
    throw std::runtime_error("the network does not come up: " + node_->out() + node_->err());
  }
  gateway_ = told[1].str();
  (void)done(
      "mkdir -p certs && soma node new-cert me --ca live/ca --output-dir certs && "
      "cp certs/me.pem . && cp certs/me.key . && cp live/ca/ca.pem . && "
      "cp me.pem scorer-1.pem && cp me.key scorer-1.key");
}

/// The first ten characters of an id, which a reader would type.
std::string short_id(const std::string& text) {
  return text.substr(0, 10);
}

void example_stage::find_ids() {
  const auto first = [this](const std::string& command, const std::string& list) {
    const auto document = parse_json(done(command + " --json"));
    return (*document)[list.c_str()].elements.at(0);
  };
  model_ = short_id(first("soma model list", "models")["id"].text);
  target_ = short_id(first("soma target list --all --status settled", "targets")["id"].text);
  validator_ = short_id(first("soma status", "committee")["member"].text);
  const auto config = " --config " + node_config_;
  node_validator_ = short_id(first("soma status" + config, "committee")["member"].text);
  node_bob_ = short_id(first("soma wallet balance bob" + config, "accounts")["address"].text);
  const auto published = parse_json(
      done("soma model publish v1.safetensors --data src --stake 40 --from alice --json" + config));
  node_model_ = short_id((*published)["model"].text);
  // Stake of alice in the validator's pool, which has joined it when an epoch has ended.
  (void)done("soma stake add validator:" + node_validator_ + " 5 --from alice" + config);
  for (int i = 0; i < 300; ++i) {
    const auto stakes = parse_json(done("soma stake list alice --json" + config));
    bool has_joined = (*stakes)["positions"].elements.size() == 2;
    for (const auto& one : (*stakes)["positions"].elements) has_joined &= one["shares"].text != "0";
    if (has_joined) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw std::runtime_error("the stake never joins");
}

std::string example_stage::substituted(const std::string& verb, std::string example) const {
  const auto at = [this](int n) { return "127.0.0.1:" + std::to_string(port_ + n); };
  const bool is_live =
      example.find("node.toml") != std::string::npos || example.find("--join") != std::string::npos;
  const bool is_wallet = verb.starts_with("wallet");
  const words all{{"/tmp/", "tmp/"},  // first: what the others put in may lie there
                  {"https://gateway.example.org", gateway_},
                  {"10.0.0.5:7003", at(1)},
                  {"10.0.0.5:7002", at(2)},
                  {"10.0.0.5:7001", at(3)},
                  {"node.toml", node_config_},
                  {"/var/lib/soma", user_.at("work/live/validator-1")},
                  {"/etc/soma/ca", "other-ca"},
                  {"0x3f9a21c4", is_wallet ? node_bob_
                                 : is_live ? node_model_
                                           : model_},
                  {"0x77c01d2e", is_live ? node_validator_ : validator_},
                  {"0x1f3a90c2", target_},
                  {"0x9b0c44e1", target_},
                  {"explain 7", "explain 3"},
                  {"1..10000", "1..3"},
                  {"1..500", "1..3"},
                  {"--replay 4711", "--replay 3"}};
  for (const auto& [from, to] : all) replace_all(example, from, to);
  if (serves(verb, example)) {
    if (verb == "localnet") example += " --home served";
    replace_all(example, ":7080", ":" + std::to_string(free_ports(1)));
  } else if (verb == "localnet") {
    example += short_localnet;
  }
  if (verb == "model train") {
    set_option(example, "--steps", "40");
    set_option(example, "--max-data", "256KiB");
  }
  if (verb == "verify-proof" && example.find("0x…") != std::string::npos) {
    const auto told = parse_json(done("soma verify-proof row.proof --json"));
    replace_all(example, "0x…", (*told)["block"].text);
  }
  return example;
}

/// Runs a program that serves until it is stopped: stops it once it has said that it serves.
finished_program example_stage::run_until_told(const std::string& script) const {
  const auto begin = "cd " + user_.at("work") + " && export PATH=$(dirname " +
                     std::string(SOMA_BINARY) + "):$PATH; exec ";
  running_program serving(user_.folder().path(), {"/bin/bash", "-c", begin + script});
  for (int i = 0; i < 300 && serving.out().empty() && serving.err().empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  serving.send(SIGINT);
  return serving.wait(std::chrono::seconds(60));
}

finished_program example_stage::type(const std::string& verb, const std::string& example) {
  const auto typed = substituted(verb, example);
  if (verb == "node run") {  // the node of the stage was started like that
    node_->send(SIGINT);
    auto ended = node_->wait(std::chrono::seconds(60));
    node_.reset();
    if (ended.exit_code != 0) return ended;
  }
  return serves(verb, typed) ? run_until_told(typed) : bash(before(verb, typed) + typed);
}

}  // namespace soma::support
