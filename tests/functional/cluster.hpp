// Shared by tests with several processes: an operator's CA, a process of the cluster that talks to
// the others, and a wait for a condition instead of a fixed time.
#pragma once

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "actors/cluster/cluster.hpp"
#include "actors/cluster/system_config.hpp"
#include "messages/crypto/x509.hpp"
#include "messages/wire/role_messages.hpp"
#include "tests/deploy/soma/binary.hpp"

namespace soma::support {

/// True as soon as `met` is true; false when it is not within the time, by default a minute.
inline bool comes_true(const std::function<bool()>& met,
                       std::chrono::seconds patience = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto asked = std::chrono::steady_clock::now();
    if (met()) return true;
    const auto answered = std::chrono::steady_clock::now();
    if (answered > deadline) return false;
    // Many questions start the program. Asking without a pause would take a whole core from the
    // processes that it waits for.
    std::this_thread::sleep_for(
        std::max<std::chrono::nanoseconds>(std::chrono::milliseconds(10), 4 * (answered - asked)));
  }
}

/// An operator's certificate authority in a folder, and the certificates that it signs.
class operator_ca {
 public:
  explicit operator_ca(std::filesystem::path folder) : folder_(std::move(folder)) {
    if (!crypto::make_ca(folder_)) throw std::runtime_error("no CA");
  }
  [[nodiscard]] std::filesystem::path ca() const { return folder_ / "ca.pem"; }
  [[nodiscard]] std::filesystem::path ca_key() const { return folder_ / "ca.key"; }
  [[nodiscard]] cluster::cluster_identity identity(const std::string& name) const {
    const auto made = crypto::make_certificate(folder_, name, folder_);
    if (!made) throw std::runtime_error("no certificate");
    return {made->certificate, made->key, ca()};
  }

 private:
  std::filesystem::path folder_;
};

/// A process of the cluster inside this one.
struct cluster_process {
  explicit cluster_process(const cluster::cluster_identity& identity)
      : config(identity, 2), system(config) {}
  /// A role that ends while CAF stops its network layer leaves a message there that nobody reads.
  /// The message keeps the role, and the system waits for the role's thread for ever. So the roles,
  /// which the test has told to end, end first. The limit is for a test that has forgotten one.
  ~cluster_process() {
    system.await_actors_before_shutdown(false);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (system.registry().running() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  cluster::system_config config;
  caf::actor_system system;
};

/// The answer to a request; nullopt when there was an error.
template <class Reply, class Handle, class Request>
std::optional<message<Reply>> ask(caf::actor_system& system, const Handle& role,
                                  const message<Request>& request) {
  std::optional<message<Reply>> answer;
  caf::scoped_actor self(system);
  self->request(role, std::chrono::seconds(30), request)
      .receive([&](const message<Reply>& reply) { answer = reply; }, [](caf::error&) {});
  return answer;
}

}  // namespace soma::support
