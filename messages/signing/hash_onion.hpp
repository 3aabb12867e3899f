// The hash onions of one consensus key, protocol §7.1. An onion is named by a number and follows
// from the key, so that it is found again after any loss. It has 2^20 layers; every 1,024th of them
// is kept, and those between are computed anew when the next of them is reached.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "messages/crypto/ed25519.hpp"
#include "messages/values/ids.hpp"

namespace soma::signing {

class hash_onion {
 public:
  static constexpr std::size_t layers = std::size_t{1} << 20;
  /// An onion with fewer layers left should be replaced: enough for the blocks until then.
  static constexpr std::size_t few = layers / 8;

  hash_onion(crypto::key_pair key, const chain_id& chain) : key_(std::move(key)), chain_(chain) {}

  /// The layer to commit to. Costs a second of one core at most, as does the first peel.
  [[nodiscard]] hash256 outermost(std::uint64_t number);
  /// The layer inside of `layer`; nullopt when the onion does not have it, or nothing is inside.
  [[nodiscard]] std::optional<hash256> peel(std::uint64_t number, const hash256& layer);
  /// How many layers are inside of `layer`; 0 when the onion does not have it.
  [[nodiscard]] std::size_t left(std::uint64_t number, const hash256& layer);

 private:
  static constexpr std::size_t stretch = 1'024;
  struct onion {
    std::vector<hash256> kept;      // layer i * stretch at i; layer 0 is the core
    std::vector<hash256> unfolded;  // the layers of one stretch, from `first` on
    std::size_t first = 0;
  };
  onion& named(std::uint64_t number);
  static void unfold(onion& from, std::size_t at);
  /// The index of the layer, counted from the core.
  static std::optional<std::size_t> find(onion& in, const hash256& layer);

  crypto::key_pair key_;
  chain_id chain_;
  std::map<std::uint64_t, onion> onions_;
};

}  // namespace soma::signing
