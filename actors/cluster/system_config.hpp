// How a process of ours starts its actor system: every message type known by a stable name, and,
// for processes that are parts of one cluster, mutual TLS with the operator's CA as the only way in
// or out.
#pragma once

#include <caf/actor_system_config.hpp>
#include <filesystem>
#include <optional>

namespace soma::cluster {

/// Certificate, key and CA of this process, PEM. All three, or no network at all (security §1.2).
struct cluster_identity {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path ca;
};

class system_config : public caf::actor_system_config {
 public:
  /// A process alone: no sockets.
  system_config();
  /// A part of a cluster. The scheduler gets `threads` threads, 0: as many as there are cores.
  explicit system_config(const cluster_identity& identity, unsigned threads = 0);
};

}  // namespace soma::cluster
