// The homes of a new network: for each node, a folder that can be carried to its machine as it is.
//
//   DIR/genesis.bin                 the genesis; every home has the same file
//   DIR/ca/                         the certificate authority, which stays here; a process with a
//                                   certificate of it may connect to the nodes
//   DIR/NAME/node.toml              for `soma node run --config`; its paths are relative to its
//                                   folder
//   DIR/NAME/validator.key          mode 0600; the node's identity among the other nodes; with it a
//                                   validator signs blocks and votes
//   DIR/NAME/validator.votes/       the record of what that key has signed: empty at first, and it
//                                   must never be lost
//   DIR/NAME/tls/                   the node's own certificate
//   DIR/NAME/gateway.pem, .key      of a gateway alone: the certificate for everybody, whose key
//                                   clients pin
//
// NAME is validator-1, …, follower-1, …, gateway-1, …. A gateway is a follower that also answers
// everybody. What must hold: DIR is either complete or does not exist,
// and an existing network is replaced only if network_plan::replaces is set and none of its nodes
// runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "actors/mesh/host_port.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/json.hpp"
#include "deploy/soma/source/folder_lock.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

struct network_plan {
  std::filesystem::path folder;
  std::uint32_t validators = 0;
  std::uint32_t followers = 0;  // nodes without a vote
  std::uint32_t gateways = 0;   // followers that answer everybody
  /// One host for all nodes, or one for each node: validators, followers, gateways.
  std::vector<std::string> hosts{"127.0.0.1"};
  /// The first port on each host. Each node there takes the next two ports, and a gateway three.
  std::uint32_t first_port = 7100;
  bool replaces = false;  // whether an existing network in `folder` is replaced
};

struct network_home {
  std::string name;
  bool is_validator = true;
  public_key key{};
  mesh::host_port mesh;  // where it listens for the other nodes
  mesh::host_port door;  // where it listens for the operator's verbs
  struct public_door {
    mesh::host_port at;
    std::string address;  // as people give it to --join, with the pin
  };
  std::optional<public_door> gateway = {};
};

class network_homes {
 public:
  /// Checks the plan and makes keys and certificates in a folder beside plan.folder.
  [[nodiscard]] static expected<network_homes, failure> begin(network_plan plan);
  network_homes(network_homes&&) noexcept = default;
  network_homes& operator=(network_homes&&) = delete;
  /// Removes what was begun if finish() has not completed it.
  ~network_homes();

  [[nodiscard]] const std::vector<network_home>& all() const { return homes_; }
  /// Writes the other files and moves the folder to its place.
  [[nodiscard]] outcome finish(const soma::genesis& genesis);

 private:
  explicit network_homes(network_plan plan) : plan_(std::move(plan)) {}
  [[nodiscard]] outcome make_home(const std::string& kind, std::uint32_t number_of_kind);
  [[nodiscard]] outcome make_gateway(network_home& home, std::uint16_t port) const;
  [[nodiscard]] std::string config_of(const network_home& home, const soma::genesis& genesis) const;
  [[nodiscard]] outcome lock_old_homes();
  [[nodiscard]] outcome put_in_place();

  network_plan plan_;
  std::filesystem::path building_;  // the folder while it is made; empty once it is in its place
  std::vector<network_home> homes_;
  std::vector<folder_lock> old_homes_;  // of the network that is replaced, so that no node starts
};

/// The homes as --json prints them: name, folder, key, mesh, listen, validator; and for a gateway
/// its address.
[[nodiscard]] json homes_json(const network_homes& homes, const std::filesystem::path& folder);

}  // namespace soma::cli
