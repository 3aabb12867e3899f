// What a node shall run, as its TOML says it:
//
//   [node]                       home: where ledger and blobs lie
//   [tls]                        certificate, key, ca: the way in and out, needed for any address
//   [roles.NAME]                 a role of this machine; listen = "HOST:PORT" publishes it, port 0
//                                on any port
//   [roles.NAME] at = "tls://…"  a role of another machine, used where it is
//
// NAME is blob_store (quota), model_registry, router, target_generator, scorer (workers) or
// validator. Paths count from the file's folder. Names that mean nothing are refused, and so is a
// role whose helpers are not named. A validator's own:
//
//   genesis, key                 files; the key signs blocks and votes, if it has a seat
//   mesh                         "HOST:PORT" for the other validators; without it: alone
//   peers                        ["0xPUBLICKEY@HOST:PORT", …]: the validators it connects to
//   votes                        folder of what the key has signed; default: beside the key
//   block_ms, idle_ms            pace with transactions, and without
//   view_timeout_ms, listen_ms   how long a view waits for its leader; how long the validator
//                                listens after a restart before it votes
//   sync                         how an empty ledger is filled: "blocks" (all of them executed, the
//                                default) or "state" (a snapshot of the peers', proven from the
//                                genesis; then the blocks after it)
//   trusted_end                  "EPOCH:0xBLOCK": the last block of an epoch, heard from a person
//                                you trust; with sync = "state" a history without it is refused
//   snapshots                    "keep", the default with a mesh: a snapshot of the ledger at the
//                                start of each epoch, in the home, for validators that come late;
//                                or "none"
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "actors/cluster/cluster.hpp"
#include "actors/cluster/system_config.hpp"
#include "actors/mesh/mesh.hpp"
#include "actors/state_sync/state_sync.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/json.hpp"

namespace soma::cli {

inline constexpr std::array<std::string_view, 6> node_roles{
    "blob_store", "model_registry", "router", "target_generator", "scorer", "validator"};

/// In this process, published or not; or elsewhere.
struct role_place {
  std::optional<mesh::host_port> listen;
  std::optional<mesh::host_port> at;
};

struct node_config {
  std::filesystem::path home;
  std::optional<cluster::cluster_identity> identity;
  std::map<std::string, role_place, std::less<>> roles;
  std::uint64_t blob_quota_bytes = std::uint64_t{64} << 30U;
  unsigned workers = 1;  // of the scorer's own; 0: only those that join
  std::filesystem::path genesis, validator_key, votes;
  std::optional<mesh::host_port> mesh;
  std::vector<mesh::mesh_peer> peers;
  bool takes_state = false;  // into an empty ledger
  std::optional<state_sync::state_sync_options::known_end> trusted_end;
  bool keeps_snapshots = true;
  bool first_start = false;  // of the command line: the key has never voted
  std::uint32_t block_ms = 100, idle_ms = 1'000;
  std::uint32_t view_timeout_ms = 1'500, listen_ms = 3'000;

  [[nodiscard]] bool runs(std::string_view role) const {
    const auto found = roles.find(role);
    return found != roles.end() && !found->second.at;
  }
};

/// `document` is the whole file at `path`; `home` is where things lie if it does not say so.
[[nodiscard]] expected<node_config, failure> parse_node_config(const json& document,
                                                               const std::filesystem::path& path,
                                                               const std::filesystem::path& home);

/// Certificate, key and CA belong together. A wrong set-up is refused by name before anything is
/// connected.
[[nodiscard]] outcome check_identity(const cluster::cluster_identity& identity);

}  // namespace soma::cli
