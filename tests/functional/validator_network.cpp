#include "tests/functional/validator_network.hpp"

#include <signal.h>

#include <chrono>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "messages/codec/codec.hpp"
#include "messages/crypto/x509.hpp"
#include "messages/signing/signing.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/support/free_ports.hpp"
#include "tests/support/program.hpp"

namespace soma::support {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

tables::ledger_store beside(const fs::path& home) {
  return tables::ledger_store(home / "ledger", {std::size_t{64} << 30U, true});
}

mesh::host_port parsed(const std::string& text) {
  return mesh::parse_host_port(text).value();
}

}  // namespace

validator_network::validator_network(validator_network_options wanted)
    : wanted_(std::move(wanted)) {
  const auto net = folder_ / "net";
  std::vector<std::string> words{wanted_.binary,
                                 "genesis",
                                 "new",
                                 "--json",
                                 "--output-dir",
                                 net.string(),
                                 "--arch",
                                 "2,16,2,32,32",
                                 "--validators",
                                 std::to_string(wanted_.validators),
                                 "--followers",
                                 std::to_string(wanted_.followers),
                                 "--epoch-seconds",
                                 std::to_string(wanted_.epoch_seconds),
                                 "--port",
                                 std::to_string(free_ports(static_cast<std::uint16_t>(
                                     2 * (wanted_.validators + wanted_.followers))))};
  for (unsigned i = 0; i < wanted_.accounts; ++i) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = static_cast<std::uint8_t>(i);
    seed[1] = static_cast<std::uint8_t>(i >> 8U);
    accounts_.push_back(crypto::key_pair::from_seed(seed));
    words.emplace_back("--account");
    words.push_back(crypto::address_of(accounts_.back().public_half()).text() + "=" +
                    wanted_.account_soma);
  }
  words.insert(words.end(), wanted_.genesis_words.begin(), wanted_.genesis_words.end());
  const auto made = run_program(folder_.path(), words);
  if (made.exit_code != 0) throw std::runtime_error("no network: " + made.err);
  const auto facts = parse_json(made.out).value();
  for (const auto& one : facts["nodes"].elements) {
    one_node node;
    node.home = one["folder"].text;
    node.mesh = parsed(one["mesh"].text);
    node.door = parsed(one["listen"].text);
    std::ofstream(node.home / "node.toml", std::ios::app) << wanted_.pace;
    nodes_.push_back(std::move(node));
  }
  const auto file = read_text(net / "genesis.bin");
  genesis_ = decode<soma::genesis>(
                 byte_view(reinterpret_cast<const std::uint8_t*>(file.data()), file.size()))
                 .value();
}

fs::path validator_network::config(std::size_t node) const {
  return nodes_[node].home / "node.toml";
}

void validator_network::rest(one_node& node) {
  if (!node.process) return;
  node.said_before += node.process->err();
  node.process.reset();
}

void validator_network::start(std::size_t node, std::vector<std::string> more) {
  rest(nodes_[node]);
  std::vector<std::string> words{wanted_.binary, "node", "run", "--config", config(node).string()};
  words.insert(words.end(), more.begin(), more.end());
  nodes_[node].process = std::make_unique<running_program>(folder_.path(), words);
}

void validator_network::start_all() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) start(i);
}

void validator_network::send(std::size_t node, int signal_number) const {
  if (nodes_[node].process) nodes_[node].process->send(signal_number);
}

void validator_network::kill(std::size_t node) {
  if (!nodes_[node].process) return;
  nodes_[node].process->send(SIGKILL);
  (void)nodes_[node].process->wait();
  rest(nodes_[node]);
}

bool validator_network::stop(std::size_t node) {
  if (!nodes_[node].process) return true;
  nodes_[node].process->send(SIGINT);
  const auto ended = nodes_[node].process->wait();
  rest(nodes_[node]);
  return ended.exit_code == 0;
}

bool validator_network::runs(std::size_t node) const {
  const auto& process = nodes_[node].process;
  if (!process || process->id() <= 0) return false;
  const auto text = support::read_text("/proc/" + std::to_string(process->id()) + "/stat");
  const auto at = text.rfind(')');
  return at != text.npos && at + 2 < text.size() && text[at + 2] != 'Z';
}

pid_t validator_network::id(std::size_t node) const {
  return nodes_[node].process->id();
}

std::string validator_network::said(std::size_t node) const {
  return nodes_[node].process ? nodes_[node].process->err() : "";
}
std::string validator_network::said_ever(std::size_t node) const {
  return nodes_[node].said_before + said(node);
}

void validator_network::add_copy(std::size_t of, const fs::path& home) {
  one_node copy;
  const auto port = free_ports(2);
  copy.home = home;
  copy.mesh = {"127.0.0.1", port};
  copy.door = {"127.0.0.1", static_cast<std::uint16_t>(port + 1)};
  auto text = read_text(config(of));
  const auto line = [&](const std::string& name, const mesh::host_port& at) {
    text = std::regex_replace(text, std::regex(name + " = \"[^\"]*\""),
                              name + " = \"" + at.host + ":" + std::to_string(at.port) + "\"");
  };
  line("listen", copy.door);
  line("mesh", copy.mesh);
  write_text(home / "node.toml", text);
  nodes_.push_back(std::move(copy));
}

cluster::cluster_identity validator_network::client() const {
  static int number = 0;
  const auto made = crypto::make_certificate(
      folder_ / "net" / "ca", "client" + std::to_string(number++), folder_.path() / "clients");
  if (!made) throw std::runtime_error("no certificate");
  return {made->certificate, made->key, folder_ / "net" / "ca" / "ca.pem"};
}

std::uint64_t validator_network::height(std::size_t node) const {
  try {
    const auto chain = beside(nodes_[node].home).chain();
    return chain ? chain->height.value : 0;
  } catch (const std::exception&) {
    return 0;
  }
}

std::uint64_t validator_network::greatest_height() const {
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) most = std::max(most, height(i));
  return most;
}

std::string validator_network::signing_state(std::size_t node) const {
  const auto told =
      run_program(folder_.path(),
                  {wanted_.binary, "status", "--json", "--config", config(node).string(), "--join",
                   nodes_[node].door.host + ":" + std::to_string(nodes_[node].door.port)});
  const auto facts = parse_json(told.out);
  return facts ? (*facts)["validator"]["signing_state"].text : "";
}

bool validator_network::reaches(std::size_t node, std::uint64_t wanted, unsigned seconds) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (height(node) < wanted) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

std::string validator_network::fork() const {
  std::map<std::uint64_t, block_id> chain;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (height(i) == 0) continue;
    const auto ledger = beside(nodes_[i].home);
    const auto top = ledger.chain()->height.value;
    for (std::uint64_t h = 1; h <= top; ++h) {
      const auto block = ledger.block_at(block_height{h});
      if (!block) return nodes_[i].home.string() + " has no block " + std::to_string(h);
      const auto id = signing::id_of(block->header);
      const auto [first, is_new] = chain.emplace(h, id);
      if (first->second != id) {
        return nodes_[i].home.string() + " has another block " + std::to_string(h);
      }
    }
  }
  return "";
}

std::uint64_t validator_network::memory_bytes(std::size_t node) const {
  std::ifstream file("/proc/" + std::to_string(id(node)) + "/status");
  std::string word;
  while (file >> word) {
    if (word != "RssAnon:") continue;
    std::uint64_t kib = 0;
    file >> kib;
    return kib * 1024;
  }
  return 0;
}

bool comes(const std::function<bool()>& met, unsigned seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!met()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

}  // namespace soma::support
