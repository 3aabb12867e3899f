#include "tests/actors/mesh/mesh_node.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "messages/crypto/random.hpp"

namespace soma::tests {

using mesh::link_end;
using mesh::peer_number;

crypto::key_pair key_of(std::uint64_t seed) {
  crypto::seeded_random random(seed);
  return crypto::key_pair::generate(random);
}

mesh::mesh_options quick_options(std::vector<public_key> members) {
  mesh::mesh_options options;
  options.members = std::move(members);
  options.frame_limit = [](std::uint16_t type, bool is_member) -> std::optional<std::uint32_t> {
    if (type > 9) return std::nullopt;
    return is_member ? 1U << 20U : 4096U;
  };
  options.limits.handshake_ms = 600;
  options.limits.header_ms = 300;
  options.limits.body_ms = 300;
  options.limits.idle_ms = 2'000;
  options.limits.retry_min_ms = 20;
  options.limits.retry_max_ms = 200;
  options.limits.refuse_for_ms = 700;
  return options;
}

mesh_node::mesh_node(const crypto::key_pair& key, mesh::mesh_options options, bool consumes)
    : key_(key.public_half()) {
  mesh::mesh_callbacks callbacks;
  callbacks.on_connected = [this](peer_number peer, const public_key& whose) {
    {
      const std::lock_guard lock(mutex_);
      up_.emplace(peer, whose);
      connections_.push_back(whose);
    }
    changed_.notify_all();
  };
  callbacks.on_gone = [this](peer_number peer, link_end why) {
    {
      const std::lock_guard lock(mutex_);
      up_.erase(peer);
      ends_.push_back(why);
    }
    changed_.notify_all();
  };
  callbacks.on_frame = [this, consumes](peer_number peer, std::uint16_t type, bytes payload) {
    const std::size_t size = payload.size();
    {
      const std::lock_guard lock(mutex_);
      frames_.push_back({peer, type, std::move(payload)});
      if (consumes && mesh_) mesh_->consumed(peer, size);
    }
    changed_.notify_all();
  };
  // It holds the lock, since a frame may come before the constructor of the mesh has returned.
  const std::lock_guard lock(mutex_);
  mesh_ = std::make_unique<mesh::mesh>(key, std::move(options), std::move(callbacks));
  port_ = mesh_->port();
}

mesh_node::~mesh_node() {
  mesh_.reset();
}

std::size_t mesh_node::connected_to(const public_key& key) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(up_, [&](const auto& one) { return one.second == key; }));
}

std::size_t mesh_node::connected() const {
  const std::lock_guard lock(mutex_);
  return up_.size();
}

peer_number mesh_node::number_of(const public_key& key) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, whose] : up_) {
    if (whose == key) return number;
  }
  return 0;
}

std::size_t mesh_node::times_connected_to(const public_key& key) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count(connections_, key));
}

std::vector<link_end> mesh_node::ends() const {
  const std::lock_guard lock(mutex_);
  return ends_;
}

std::vector<mesh_node::received> mesh_node::frames() const {
  const std::lock_guard lock(mutex_);
  return frames_;
}

std::size_t mesh_node::frame_count() const {
  const std::lock_guard lock(mutex_);
  return frames_.size();
}

bool mesh_node::wait_for(const std::function<bool()>& condition, int at_most_ms) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(at_most_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    // `condition` takes the locks itself, so that it may ask several nodes.
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(2));
  }
  return true;
}

std::size_t resident_bytes() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;  // a sanitizer takes a multiple and keeps freed memory
#else
  std::ifstream file("/proc/self/statm");
  std::size_t whole = 0;
  std::size_t resident = 0;
  file >> whole >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
#endif
}

void sleep_ms(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

}  // namespace soma::tests
