// A network of real `soma node run` processes on this machine. It is made as an operator makes one,
// with free ports and a pace that suits a test. What must hold: no process outlives this object.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/cluster/cluster.hpp"
#include "actors/cluster/system_config.hpp"
#include "messages/crypto/ed25519.hpp"
#include "messages/values/genesis.hpp"
#include "tests/support/json_reader.hpp"
#include "tests/support/program.hpp"

namespace soma::support {

struct validator_network_options {
  std::string binary;  // soma
  unsigned validators = 4;
  unsigned followers = 0;
  unsigned epoch_seconds = 600;
  unsigned accounts = 0;                     // with money in the genesis
  std::string account_soma = "100";          // of each account
  std::vector<std::string> genesis_words{};  // more of them for `soma genesis new`
  std::string pace = "block_ms = 50\nidle_ms = 200\nview_timeout_ms = 500\nlisten_ms = 500\n";
};

class validator_network {
 public:
  explicit validator_network(validator_network_options wanted);

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// Starts a node, also one that has run before. The nodes are the validators and then the
  /// followers.
  void start(std::size_t node, std::vector<std::string> more = {});
  void start_all();
  void send(std::size_t node, int signal_number) const;
  void kill(std::size_t node);
  /// Stops a node as an operator does. False when it did not end well.
  [[nodiscard]] bool stop(std::size_t node);
  [[nodiscard]] bool runs(std::size_t node) const;
  [[nodiscard]] pid_t id(std::size_t node) const;
  /// What the node has printed since its last start, and since its first one.
  [[nodiscard]] std::string said(std::size_t node) const;
  [[nodiscard]] std::string said_ever(std::size_t node) const;

  [[nodiscard]] std::filesystem::path home(std::size_t node) const { return nodes_[node].home; }
  [[nodiscard]] std::filesystem::path config(std::size_t node) const;
  /// Adds a copy of a node with its home at this path, other ports and the same peers.
  void add_copy(std::size_t of, const std::filesystem::path& home);
  [[nodiscard]] const mesh::host_port& door(std::size_t node) const { return nodes_[node].door; }
  [[nodiscard]] const mesh::host_port& mesh(std::size_t node) const { return nodes_[node].mesh; }
  [[nodiscard]] cluster::cluster_identity client() const;
  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  [[nodiscard]] const std::vector<crypto::key_pair>& accounts() const { return accounts_; }
  [[nodiscard]] const scratch_folder& folder() const { return folder_; }

  /// The height of the node's ledger, which is read beside the process; 0 before there is one.
  [[nodiscard]] std::uint64_t height(std::size_t node) const;
  [[nodiscard]] std::uint64_t greatest_height() const;
  /// The signing state in `soma status` of the running node: member, listening, fenced, …; empty
  /// when it does not answer.
  [[nodiscard]] std::string signing_state(std::size_t node) const;
  [[nodiscard]] bool reaches(std::size_t node, std::uint64_t height, unsigned seconds = 60) const;
  /// Why the ledgers are not beginnings of one chain; empty when they are.
  [[nodiscard]] std::string fork() const;
  /// The resident bytes that the process shares with no other one.
  [[nodiscard]] std::uint64_t memory_bytes(std::size_t node) const;

 private:
  struct one_node {
    std::filesystem::path home;
    mesh::host_port mesh, door;
    std::unique_ptr<running_program> process;
    std::string said_before;
  };
  void rest(one_node& node);

  validator_network_options wanted_;
  scratch_folder folder_;
  soma::genesis genesis_;
  std::vector<crypto::key_pair> accounts_;
  std::vector<one_node> nodes_;
};

/// Asks every 50 ms; false when it is not so within the time.
[[nodiscard]] bool comes(const std::function<bool()>& met, unsigned seconds = 60);

}  // namespace soma::support
