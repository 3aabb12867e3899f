// A mesh under test: everything it calls back is written down, and a test waits for what must come.
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

/// Deadlines short enough for a test, long enough for a busy machine.
[[nodiscard]] mesh::mesh_options quick_options(std::vector<public_key> members);

class mesh_node {
 public:
  struct received {
    mesh::peer_number from = 0;
    std::uint16_t type = 0;
    bytes payload;
  };

  /// `consumes`: whether it tells the mesh at once that a frame is done with.
  mesh_node(const crypto::key_pair& key, mesh::mesh_options options, bool consumes = true);
  ~mesh_node();

  [[nodiscard]] mesh::mesh& link() { return *mesh_; }
  [[nodiscard]] mesh::host_port at() const { return {"127.0.0.1", port_}; }
  [[nodiscard]] const public_key& key() const { return key_; }
  [[nodiscard]] mesh::mesh_peer as_peer() const { return {key_, at()}; }

  /// Connections to this key that are up.
  [[nodiscard]] std::size_t connected_to(const public_key& key) const;
  [[nodiscard]] std::size_t connected() const;
  /// Its number; 0: not connected.
  [[nodiscard]] mesh::peer_number number_of(const public_key& key) const;
  [[nodiscard]] std::size_t times_connected_to(const public_key& key) const;
  [[nodiscard]] std::vector<mesh::link_end> ends() const;
  [[nodiscard]] std::vector<received> frames() const;
  [[nodiscard]] std::size_t frame_count() const;

  /// Whether `condition` came true within the time; it is asked after everything that happens.
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

/// Bytes of memory this process holds; 0 under a sanitizer.
[[nodiscard]] std::size_t resident_bytes();
void sleep_ms(int ms);

}  // namespace soma::tests
