// The decisions of the mesh: to which peers it connects and when, which connections it accepts,
// which of two connections of a pair stays, and which peers are refused. Only the sources of the
// mesh include this file. All but the constructor and the destructor runs on the mesh's thread or
// is posted to it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>
#include <thread>

#include "actors/mesh/mesh_connection.hpp"
#include "actors/mesh/misbehaviour_scores.hpp"
#include "messages/crypto/random.hpp"

namespace soma::mesh {

class mesh::core final : public mesh_owner {
 public:
  core(const crypto::key_pair& key, mesh_options options, mesh_callbacks callbacks);
  ~core();
  core(const core&) = delete;
  core& operator=(const core&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] asio::io_context& io() { return io_; }
  void send(const std::vector<peer_number>& to, const framed_bytes& framed);
  void consumed(peer_number peer, std::size_t payload_bytes);
  void blame(peer_number peer, std::uint32_t points);
  void set_members(std::vector<public_key> members);
  void set_peers(std::vector<mesh_peer> peers);

 private:
  using tcp = asio::ip::tcp;
  using connection_ptr = std::shared_ptr<mesh_connection>;

  /// A peer to which the mesh tries to connect until there is a connection.
  struct target {
    mesh_peer peer;
    std::uint64_t next_ms = 0;
    std::uint32_t pause_ms = 0;  // before the attempt after the next failure
    peer_number calling = 0;     // the connection of the present attempt; 0: there is none
  };

  void opened(mesh_connection& which) override;
  void arrived(mesh_connection& which, frame what) override;
  void closed(mesh_connection& which, link_end why) override;

  void listen();
  void accept();
  void admit(tcp::socket socket, const asio::ip::address& from);
  void call_who_is_due(std::uint64_t now_ms);
  void call_later(target& whom, std::uint64_t lasted_ms);
  void wait_for_tick();
  void shut_down();
  [[nodiscard]] std::optional<link_end> objection(const mesh_connection& to);
  [[nodiscard]] bool replaces(const mesh_connection& newer, const mesh_connection& older) const;
  [[nodiscard]] bool is_room_for_stranger(const mesh_connection& which) const;
  [[nodiscard]] bool may_refuse_member(std::uint64_t now_ms) const;
  [[nodiscard]] bool is_known(const asio::ip::address& address) const;
  [[nodiscard]] public_key caller_of(const mesh_connection& which) const;
  void add_points(mesh_connection& which, std::uint32_t points);
  [[nodiscard]] connection_ptr find(peer_number peer) const;
  [[nodiscard]] connection_ptr make_connection(crypto::tls_side side, tcp::socket socket);

  const public_key key_;
  mesh_options options_;
  mesh_callbacks callbacks_;
  crypto::tls_identity identity_;
  crypto::seeded_random random_;
  misbehaviour_scores scores_;
  std::set<public_key> members_;
  std::vector<target> targets_;
  std::set<asio::ip::address> known_;  // numeric addresses of peers, and those that answered
  std::atomic<bool> silent_ = false;   // from then on no callback is called

  asio::io_context io_;
  tcp::acceptor acceptor_{io_};
  asio::steady_timer timer_{io_};
  std::uint32_t tick_ms_ = 0;
  std::uint16_t port_ = 0;
  bool accepting_ = false;
  peer_number last_number_ = 0;
  std::map<peer_number, connection_ptr> connections_;
  std::map<public_key, peer_number> open_;
  std::thread thread_;  // the last member: all others exist before the thread runs
};

}  // namespace soma::mesh
