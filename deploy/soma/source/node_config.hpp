// What a node runs. Its configuration is a TOML file with these tables:
//
//   [node]                       home: the folder for the ledger and the blobs
//   [tls]                        certificate, key, ca: needed as soon as any role has an address,
//                                since all connections use mutual TLS
//   [roles.NAME]                 a role that this machine runs; listen = "HOST:PORT" publishes it
//                                for other machines, and port 0 takes any free port
//   [roles.NAME] at = "tls://…"  a role that another machine runs; this node uses it there, and the
//                                table says nothing else
//
// NAME is blob_store (option: quota), model_registry, router, target_generator, scorer (option:
// workers), gateway or validator. Paths are relative to the folder of the file. A name that has no
// meaning is refused, and so is a role if another role that it needs is not named. A gateway is for
// everybody, so that its `listen` has nothing to do with [tls]. It has these options:
//
//   listen                       "HOST:PORT" where it speaks HTTPS with anybody
//   certificate, key             PEM files; default: a pair that the node makes in its home, which
//                                clients pin
//   plain                        true: plain HTTP, for loopback addresses and proxies alone
//   proxies                      ["ADDRESS", …] whose X-Forwarded-For is believed
//   names                        ["NAME", …] in the certificate that the node makes
//   faucet                       key file of an account whose money it gives away, on networks for
//                                trying things out
//   faucet_amount                the amount of a gift in SOMA; default: "10"
//   upload_bytes_per_soma        what an account may upload in 24 hours for a SOMA of its balance
//                                and own stake; default: "64MiB"; "0B" takes no uploads
//   upload_bytes_most            of one account, however rich; default: "16GiB"
//   upload_bytes_all             of all accounts together in 24 hours; default: "32GiB"
//   blob_bytes_per_second        blobs given and taken, in all; default: "512MiB"
//   blob_bytes_per_second_host   the same for one host; default: "128MiB"
//   signature_checks_per_second  of transactions and reservations that strangers send, in all;
//                                default: 1024, a tenth of a processor core
//   signature_checks_per_second_host   the same for one host; default: 32
//   event_streams                clients that may watch events at one time; default: 512
//
// A validator has these options:
//
//   genesis, key                 files; the key signs blocks and votes, if it has a seat
//   mesh                         "HOST:PORT" where the validator listens for the others; without it
//                                the validator is alone
//   peers                        ["0xPUBLICKEY@HOST:PORT", …]: the validators it connects to
//   votes                        the folder that records what the key has signed; default: beside
//                                the key
//   block_ms, idle_ms            the time between blocks while there are transactions, and while
//                                there are none
//   view_timeout_ms              how long a view waits for its leader
//   listen_ms                    how long the validator listens after a restart before it votes
//   sync                         how an empty ledger is filled: "blocks" (the default) executes all
//                                blocks; "state" takes a snapshot from the peers, which is proven
//                                from the genesis on, and then executes the blocks after it
//   trusted_end                  "EPOCH:0xBLOCK": the last block of an epoch, told by a person whom
//                                you trust; only with sync = "state", which then refuses a history
//                                without it
//   snapshots                    "keep" (the default with a mesh) keeps a snapshot of the ledger at
//                                the start of each epoch in the home, for validators that come
//                                late; "none" keeps no snapshot
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
#include "messages/values/amounts.hpp"

namespace soma::cli {

inline constexpr std::array<std::string_view, 7> node_roles{
    "blob_store", "model_registry", "router", "target_generator", "scorer", "validator", "gateway"};

/// Where a role runs: with `at` on another machine; else in this process, and with `listen` it is
/// published for other machines.
struct role_place {
  std::optional<mesh::host_port> listen;
  std::optional<mesh::host_port> at;
};

struct gateway_config {
  std::optional<mesh::host_port> listen;
  std::filesystem::path certificate, key;  // both, or none
  bool plain = false;
  std::vector<std::string> proxies, names;
  std::filesystem::path faucet;  // empty: it gives nothing away
  shannons faucet_amount{10 * shannons_per_soma};
  // In bytes.
  std::uint64_t upload_per_soma = std::uint64_t{64} << 20U;
  std::uint64_t upload_most = std::uint64_t{16} << 30U, upload_all = std::uint64_t{32} << 30U;
  std::uint64_t blobs_per_second = std::uint64_t{512} << 20U;
  std::uint64_t blobs_per_second_host = std::uint64_t{128} << 20U;
  std::uint32_t checks_per_second = 1'024, checks_per_second_host = 32;  // of signatures
  std::uint32_t event_streams = 512;
};

struct node_config {
  std::filesystem::path home;
  std::optional<cluster::cluster_identity> identity;
  std::map<std::string, role_place, std::less<>> roles;
  std::uint64_t blob_quota_bytes = std::uint64_t{64} << 30U;
  /// How many workers of its own the scorer has. With 0 it has only those that join it.
  unsigned workers = 1;
  std::filesystem::path genesis, validator_key, votes;
  std::optional<mesh::host_port> mesh;
  std::vector<mesh::mesh_peer> peers;
  bool takes_state = false;  // sync = "state": an empty ledger is filled from a snapshot
  std::optional<state_sync::state_sync_options::known_end> trusted_end;
  bool keeps_snapshots = true;
  gateway_config gateway;
  /// --first-start on the command line: the operator says that the key has never voted.
  bool first_start = false;
  std::uint32_t block_ms = 50, idle_ms = 1'000;
  std::uint32_t view_timeout_ms = 1'500, listen_ms = 3'000;

  [[nodiscard]] bool runs(std::string_view role) const {
    const auto found = roles.find(role);
    return found != roles.end() && !found->second.at;
  }
};

/// Reads the configuration. `document` is the whole file at `path`; `home` is the home of the node
/// if the file names none.
[[nodiscard]] expected<node_config, failure> parse_node_config(const json& document,
                                                               const std::filesystem::path& path,
                                                               const std::filesystem::path& home);

/// Checks [node], [tls] and [roles] in a configuration that any verb uses: what is written there
/// must be right, but what a node needs to run may be missing. Refusals name the line.
[[nodiscard]] outcome check_node_tables(const json& document);

/// Checks that certificate, key and CA belong together, so that a wrong set-up is refused with its
/// reason before anything is connected.
[[nodiscard]] outcome check_identity(const cluster::cluster_identity& identity);

}  // namespace soma::cli
