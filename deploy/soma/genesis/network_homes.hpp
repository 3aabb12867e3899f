// The homes of a new network: for each node a folder that can be carried to its machine as it is.
//
//   DIR/genesis.bin                 the same in every home
//   DIR/ca/                         who has a certificate of it may ask the nodes; stays here
//   DIR/NAME/node.toml              `soma node run --config` runs it; paths count from here
//   DIR/NAME/validator.key          0600; signs blocks and votes, and is who the node is to others
//   DIR/NAME/validator.votes/       what that key has signed: empty, and never to be lost
//   DIR/NAME/tls/                   certificate of the node's own
//
// NAME is validator-1, …, follower-1, …. What must hold: DIR is whole or not there, and a network
// that is there is replaced only when somebody says so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "actors/mesh/host_port.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/json.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

struct network_plan {
  std::filesystem::path folder;
  std::uint32_t validators = 0;
  std::uint32_t followers = 0;                  // nodes without a vote
  std::vector<std::string> hosts{"127.0.0.1"};  // one for all, or one a node
  std::uint32_t first_port = 7100;  // of a host; each of its nodes takes two, one after the other
  bool replaces = false;
};

struct network_home {
  std::string name;
  bool is_validator = true;
  public_key key{};
  mesh::host_port mesh;  // for the other nodes
  mesh::host_port door;  // for the operator's verbs
};

class network_homes {
 public:
  /// Checks the plan and makes keys and certificates, beside the folder that it will be.
  [[nodiscard]] static expected<network_homes, failure> begin(network_plan plan);
  network_homes(network_homes&&) noexcept = default;
  network_homes& operator=(network_homes&&) = delete;
  /// What was begun and not finished goes.
  ~network_homes();

  [[nodiscard]] const std::vector<network_home>& all() const { return homes_; }
  /// Writes the rest and puts all of it in its place.
  [[nodiscard]] outcome finish(const soma::genesis& genesis);

 private:
  explicit network_homes(network_plan plan) : plan_(std::move(plan)) {}
  [[nodiscard]] outcome make_home(const std::string& name, bool is_validator, std::uint32_t number);
  [[nodiscard]] std::string config_of(const network_home& home, const soma::genesis& genesis) const;
  [[nodiscard]] outcome put_in_place();

  network_plan plan_;
  std::filesystem::path building_;  // empty once it is finished
  std::vector<network_home> homes_;
};

/// Of --json: name, folder, key, mesh, listen, validator.
[[nodiscard]] json homes_json(const network_homes& homes, const std::filesystem::path& folder);

}  // namespace soma::cli
