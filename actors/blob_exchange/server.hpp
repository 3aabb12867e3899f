// The answers of a home to peers that seek blobs or ask for parts of them (security §8.7). What
// must hold:
//   - Only members of the committee are given parts of blobs. Any other peer, a stranger, is told
//     only whether a blob is here that the ledger names, and few such answers a second: what the
//     ledger names is no secret, and a follower has to learn whether a model that it has published
//     has arrived. Of all other blobs a stranger learns nothing.
//   - The questions and the bytes a second of each peer and of all peers together are limited. When
//     many ask, each has an equal share of the bytes, so that one peer cannot use up what the
//     others need. A peer above its share is told to ask later; a peer that asks too often gets no
//     answer.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "actors/blob_exchange/shelf.hpp"

namespace soma::blob_exchange {

using peer_number = std::uint32_t;

struct server_options {
  std::size_t peer_bytes_per_s = std::size_t{16} << 20;
  std::size_t all_bytes_per_s = std::size_t{64} << 20;
  std::uint32_t peer_questions_per_s = 256;
  std::uint32_t stranger_questions_per_s = 8;
};

class server {
 public:
  /// `blobs` outlives the server.
  explicit server(shelf& blobs, server_options options = {}) : blobs_(blobs), options_(options) {}

  void set_members(std::set<public_key> members) { members_ = std::move(members); }
  /// Which blobs a stranger may ask for. Without it a stranger is not answered at all.
  void set_named(std::function<bool(const blob_id&)> is_named) { is_named_ = std::move(is_named); }
  void peer_connected(peer_number peer, const public_key& key) { peers_[peer].key = key; }
  void peer_gone(peer_number peer) { peers_.erase(peer); }

  /// The answer to `seek` or `get`; nullopt when the peer gets none. `now_ms` never goes back.
  [[nodiscard]] std::optional<peer_message> answer(peer_number peer, const peer_message& question,
                                                   std::uint64_t now_ms);

 private:
  struct asker {
    public_key key{};
    std::uint64_t second = 0;  // to which the next two belong
    std::size_t bytes = 0;
    std::uint32_t questions = 0;
    bool took = false;  // it has asked for parts in this second
  };
  [[nodiscard]] std::optional<peer_message> have(const peer::seek& sought, bool is_member) const;
  [[nodiscard]] peer::part part(asker& from, const peer::blob_part& wanted);
  [[nodiscard]] std::size_t share() const;
  void begin_second(std::uint64_t second);

  shelf& blobs_;
  server_options options_;
  std::set<public_key> members_;
  std::function<bool(const blob_id&)> is_named_;
  std::map<peer_number, asker> peers_;
  std::uint64_t second_ = 0;
  std::size_t bytes_ = 0;          // given to all in this second
  std::size_t takers_ = 0;         // peers that asked for parts in this second
  std::size_t takers_before_ = 0;  // and in the second before
};

}  // namespace soma::blob_exchange
