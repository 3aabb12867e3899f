// The configuration with which a process starts its actor system. Every message type has a stable
// name. Processes that are parts of one cluster reach each other only through mutual TLS with the
// operator's CA.
#pragma once

#include <caf/actor_system_config.hpp>
#include <filesystem>
#include <optional>

namespace soma::cluster {

/// The PEM files of a process: its certificate, its key and the operator's CA. A process without
/// all three has no network at all (security §1.2).
struct cluster_identity {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path ca;
};

class system_config : public caf::actor_system_config {
 public:
  /// For a process that stands alone: it opens no sockets.
  system_config();
  /// For a part of a cluster. The scheduler gets `threads` threads; 0 stands for one a core.
  explicit system_config(const cluster_identity& identity, unsigned threads = 0);
};

}  // namespace soma::cluster
