// The network between the validators of one world. Each validator has a peers_actor and a slot,
// which is its index. The delay of each message is drawn from the seed; a message may also be lost
// or doubled. What must hold, as with real connections:
//   - Messages of one connection arrive in their order. A doubled one arrives twice in a row.
//   - A connection ends for both sides. A new one has new numbers, and no message of an old one
//     arrives after its end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors/localnet/world.hpp"
#include "actors/validator/peers_actor.hpp"
#include "messages/values/votes.hpp"

namespace soma::localnet {

struct network_weather {
  std::uint32_t delay_min_ms = 1;
  std::uint32_t delay_max_ms = 5;
  std::uint32_t lost_ppm = 0;
  std::uint32_t doubled_ppm = 0;
};

struct network_counts {
  std::uint64_t sent = 0, lost = 0, doubled = 0, delivered = 0, bytes = 0;
  std::vector<std::string> blames;
};

class peer_network {
 public:
  /// `where` outlives it.
  peer_network(world& where, std::uint64_t seed, std::vector<public_key> keys);
  ~peer_network();

  [[nodiscard]] const validator::peers_actor& peers_of(std::size_t slot) const;
  void set_weather(const network_weather& weather);
  /// Nothing arrives between slots of different groups. Connections stay.
  void partition(std::vector<unsigned> group_of_slot);
  /// The process of this slot is gone: all its connections end. It connects again when its
  /// validator asks to hear of its peers.
  void disconnect(std::size_t slot);
  /// Delivers a message as if `from` had sent it, for tests with peers that do what no validator
  /// does.
  void inject(std::size_t from, std::size_t to, const peer_message& message);
  void inject_frame(std::size_t from, std::size_t to, std::uint16_t type, byte_view body);
  [[nodiscard]] const network_counts& counts() const;

  struct state;

 private:
  std::shared_ptr<state> state_;
};

}  // namespace soma::localnet
