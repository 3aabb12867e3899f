// What a home remembers of networks, so that no gateway can lead it to another one, or back to an
// older state. Everything lies in <home>/networks:
//   known            one line: the chain id of the network of this home, as 0x and 64 hex digits
//   CHAINID.trust    the committee and the highest block that are proven (kept_trust.hpp)
//   CHAINID.trust.damaged   a file that was not what had been written, set aside
// What must hold: each file is whole or not there, and a trust file is never replaced by one of an
// older block.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "deploy/soma/shell/failure.hpp"
#include "messages/values/blocks.hpp"
#include "messages/values/bytes.hpp"
#include "messages/values/ids.hpp"

namespace soma::cli {

class network_memory {
 public:
  explicit network_memory(const std::filesystem::path& home) : folder_(home / "networks") {}

  /// The network of this home; nullopt if it has none yet. Refuses a file that is damaged: without
  /// it, any gateway could choose the network.
  [[nodiscard]] expected<std::optional<chain_id>, failure> known() const;
  /// Remembers the network of this home. It is on the disk when this returns.
  [[nodiscard]] outcome remember(const chain_id& network) const;
  [[nodiscard]] std::filesystem::path known_file() const { return folder_ / "known"; }

  /// The bytes of the trust file; nullopt if there is none that can be read.
  [[nodiscard]] std::optional<bytes> trust(const chain_id& network) const;
  /// Writes the trust file, unless the one that is there is of a higher block.
  [[nodiscard]] outcome keep_trust(const chain_id& network, byte_view kept) const;
  /// Sets a damaged trust file aside and says so in one line on stderr, with the reason.
  void set_trust_aside(const chain_id& network, const std::string& why) const;
  [[nodiscard]] std::filesystem::path trust_file(const chain_id& network) const;

 private:
  [[nodiscard]] outcome write(const std::filesystem::path& file, byte_view content) const;
  std::filesystem::path folder_;
};

/// The first 16 bytes of a chain id in groups, for people who compare it by eye or aloud:
/// "1a2b 3c4d …".
[[nodiscard]] std::string fingerprint(const chain_id& network);

}  // namespace soma::cli
