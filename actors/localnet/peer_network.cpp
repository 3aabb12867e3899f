#include "actors/localnet/peer_network.hpp"

#include <algorithm>
#include <map>

#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/random.hpp"
#include "messages/values/assert.hpp"

namespace soma::localnet {

struct peer_network::state {
  struct slot {
    public_key key{};
    validator::peers_actor role;
    validator::peer_listener_actor listener;  // null: the slot is disconnected
    validator::peer_listener_actor blob_listener;
    std::map<std::uint32_t, std::size_t> to;  // the slot at the other end, by this slot's number
    std::map<std::size_t, std::uint32_t> number_of;
    std::map<std::size_t, std::uint64_t> last_arrival_ms;
    unsigned group = 0;
  };

  state(world& w, std::uint64_t seed) : where(w), random(seed) {}

  void connect(std::size_t a, std::size_t b) {
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
      const auto number = ++last_number;
      slots[from].to.emplace(number, to);
      slots[from].number_of[to] = number;
      slots[from].last_arrival_ms.erase(to);
      tell_both(slots[from], connected_message(number, slots[to].key));
    }
  }

  static message<schema::FromPeer> connected_message(std::uint32_t number, const public_key& key) {
    return message<schema::FromPeer>::build([&](auto out) {
      out.setPeer(number);
      out.setConnected(data_of(key));
    });
  }
  static message<schema::FromPeer> gone_message(std::uint32_t number) {
    return message<schema::FromPeer>::build([&](auto out) {
      out.setPeer(number);
      out.setGone();
    });
  }
  static void tell_both(const slot& to, const message<schema::FromPeer>& what) {
    for (const auto& listener : {to.listener, to.blob_listener}) {
      if (listener) caf::anon_send(listener, what);
    }
  }

  /// The process of the slot is gone, and all its roles with it.
  void disconnect(std::size_t gone) {
    slots[gone].listener = nullptr;
    slots[gone].blob_listener = nullptr;
    end_connections(gone);
  }

  void end_connections(std::size_t gone) {
    for (const auto& [number, other] : slots[gone].to) {
      auto& there = slots[other];
      const auto theirs = there.number_of.at(gone);
      there.to.erase(theirs);
      there.number_of.erase(gone);
      tell_both(there, gone_message(theirs));
      if (slots[gone].blob_listener) {
        caf::anon_send(slots[gone].blob_listener, gone_message(number));
      }
    }
    slots[gone].to.clear();
    slots[gone].number_of.clear();
  }

  void listen_for_blobs(std::size_t at, const validator::peer_listener_actor& listener) {
    slots[at].blob_listener = listener;
    for (const auto& [number, other] : slots[at].to) {
      caf::anon_send(listener, connected_message(number, slots[other].key));
    }
  }

  void listen(std::size_t at, const validator::peer_listener_actor& listener) {
    end_connections(at);
    slots[at].listener = listener;
    for (std::size_t other = 0; other < slots.size(); ++other) {
      if (other != at && slots[other].listener) connect(at, other);
    }
  }

  [[nodiscard]] bool chance(std::uint32_t ppm) { return random.below(1'000'000) < ppm; }

  world& where;
  crypto::seeded_random random;
  std::vector<slot> slots;
  network_weather weather;
  network_counts counts;
  std::uint32_t last_number = 0;
};

namespace {

using network = std::shared_ptr<peer_network::state>;

void deliver(const network& net, std::size_t from, std::size_t to, std::uint32_t number,
             std::uint16_t type, const bytes& body) {
  const auto& there = net->slots[to];
  const auto now = there.number_of.find(from);
  if (now == there.number_of.end() || now->second != number) return;  // the connection has ended
  if (there.group != net->slots[from].group) return void(++net->counts.lost);
  const auto& listener = is_about_blobs(type) ? there.blob_listener : there.listener;
  if (!listener) return void(++net->counts.lost);
  ++net->counts.delivered;
  caf::anon_send(listener, message<schema::FromPeer>::build([&](auto out) {
                   out.setPeer(number);
                   auto sent = out.initSent();
                   sent.setType(type);
                   sent.setBody(data_of(body));
                 }));
}

void post(const network& net, validator::peers_actor::pointer self, std::size_t from,
          std::size_t to, std::uint16_t type, const std::shared_ptr<const bytes>& body) {
  auto& counts = net->counts;
  ++counts.sent;
  counts.bytes += body->size();
  const auto& weather = net->weather;
  if (net->slots[from].group != net->slots[to].group || net->chance(weather.lost_ppm)) {
    ++counts.lost;
    return;
  }
  const bool doubled = net->chance(weather.doubled_ppm);
  counts.doubled += doubled;
  const auto spread = weather.delay_max_ms - weather.delay_min_ms + 1;
  const auto now = net->where.now_ms();
  auto& last = net->slots[from].last_arrival_ms[to];
  last = std::max(last, now + weather.delay_min_ms + net->random.below(spread));
  const auto number = net->slots[to].number_of.at(from);
  self->request(net->where.clock(), caf::infinite, message<schema::Wait>::build([&](auto out) {
                  out.setMs(static_cast<std::uint32_t>(std::max<std::uint64_t>(last - now, 1)));
                }))
      .then([=](const message<schema::Time>&) {
        for (int copy = doubled ? 2 : 1; copy > 0; --copy) {
          deliver(net, from, to, number, type, *body);
        }
      });
}

validator::peers_actor::behavior_type peers_role(validator::peers_actor::pointer self,
                                                 std::weak_ptr<peer_network::state> weak,
                                                 std::size_t slot) {
  return {[=](const message<schema::ToPeers>& out) {
            const auto net = weak.lock();
            if (!net) return;
            const auto root = out.root();
            const auto& own = net->slots[slot];
            if (root.getBlame().size() != 0) {
              net->counts.blames.emplace_back(view_of(root.getBlame()));
            }
            if (root.getBody().size() == 0) return;
            const auto body = std::make_shared<const bytes>(bytes_of(root.getBody()));
            if (root.getTo().size() == 0) {
              for (const auto& [number, to] : own.to)
                post(net, self, slot, to, root.getType(), body);
            }
            for (const auto number : root.getTo()) {
              const auto to = own.to.find(number);
              if (to != own.to.end()) {
                post(net, self, slot, to->second, root.getType(), body);
              }
            }
          },
          [=](const message<schema::HearPeers>& wanted) {
            const auto net = weak.lock();
            if (!net) return;
            const auto listener =
                caf::actor_cast<validator::peer_listener_actor>(self->current_sender());
            if (wanted.root().getOfBlobs()) return net->listen_for_blobs(slot, listener);
            net->listen(slot, listener);
          }};
}

}  // namespace

peer_network::peer_network(world& where, std::uint64_t seed, std::vector<public_key> keys)
    : state_(std::make_shared<state>(where, seed)) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto& slot = state_->slots.emplace_back();
    slot.key = keys[i];
    slot.role = where.system().spawn(peers_role, std::weak_ptr<state>(state_), i);
  }
}

peer_network::~peer_network() {
  for (const auto& slot : state_->slots)
    caf::anon_send_exit(slot.role, caf::exit_reason::user_shutdown);
}

const validator::peers_actor& peer_network::peers_of(std::size_t slot) const {
  return state_->slots[slot].role;
}
void peer_network::set_weather(const network_weather& weather) {
  SOMA_ASSERT(weather.delay_min_ms <= weather.delay_max_ms, "a delay lies between its bounds");
  state_->weather = weather;
}
void peer_network::partition(std::vector<unsigned> group_of_slot) {
  SOMA_ASSERT(group_of_slot.size() == state_->slots.size(), "every slot is in one group");
  for (std::size_t i = 0; i < group_of_slot.size(); ++i) state_->slots[i].group = group_of_slot[i];
}
void peer_network::disconnect(std::size_t slot) {
  state_->disconnect(slot);
}
void peer_network::inject(std::size_t from, std::size_t to, const peer_message& message) {
  inject_frame(from, to, frame_type_of(message), encode(message));
}
void peer_network::inject_frame(std::size_t from, std::size_t to, std::uint16_t type,
                                byte_view body) {
  const auto number = state_->slots[to].number_of.find(from);
  if (number == state_->slots[to].number_of.end()) return;
  deliver(state_, from, to, number->second, type, bytes(body.begin(), body.end()));
}
const network_counts& peer_network::counts() const {
  return state_->counts;
}

}  // namespace soma::localnet
