// A mesh under test. It records all callbacks, and a test can wait for what must come.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/mesh/mesh.hpp"

namespace soma::tests {

[[nodiscard]] crypto::key_pair key_of(std::uint64_t seed);

/// Options with deadlines that are short enough for a test and long enough for a busy machine.
[[nodiscard]] mesh::mesh_options quick_options(std::vector<public_key> members);

class mesh_node {
 public:
  struct received {
    mesh::peer_number from = 0;
    std::uint16_t type = 0;
    bytes payload;
  };

  /// With `consumes` it calls mesh::consumed for each frame at once.
  mesh_node(const crypto::key_pair& key, mesh::mesh_options options, bool consumes = true);
  ~mesh_node();

  [[nodiscard]] mesh::mesh& link() { return *mesh_; }
  [[nodiscard]] mesh::host_port at() const { return {"127.0.0.1", port_}; }
  [[nodiscard]] const public_key& key() const { return key_; }
  [[nodiscard]] mesh::mesh_peer as_peer() const { return {key_, at()}; }

  /// The number of open connections to this key.
  [[nodiscard]] std::size_t connected_to(const public_key& key) const;
  [[nodiscard]] std::size_t connected() const;
  /// The number of the connection to this key; 0 when there is none.
  [[nodiscard]] mesh::peer_number number_of(const public_key& key) const;
  [[nodiscard]] std::size_t times_connected_to(const public_key& key) const;
  [[nodiscard]] std::vector<mesh::link_end> ends() const;
  [[nodiscard]] std::vector<received> frames() const;
  [[nodiscard]] std::size_t frame_count() const;

  /// Whether `condition` became true within the time. It is asked after each callback.
  [[nodiscard]] bool wait_for(const std::function<bool()>& condition,
                              int at_most_ms = 10'000) const;

 private:
  public_key key_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<mesh::peer_number, public_key> up_;
  std::vector<public_key> connections_;
  std::vector<mesh::link_end> ends_;
  std::vector<received> frames_;
  std::unique_ptr<mesh::mesh> mesh_;
};

/// The resident bytes of this process; 0 under a sanitizer.
[[nodiscard]] std::size_t resident_bytes();
void sleep_ms(int ms);

}  // namespace soma::tests
